"""Package a model as one GGUF file for llama.cpp: merge its adapter, then convert. Needs no compiler.

PYTHONPATH=methods python methods/export_gguf/export.py --job job.json --out out/
"""

import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import converter
from kit import entry, models
from kit.events import Events, fail
from kit.job import Job, Model

STAGES = 3
_LINES_KEPT = 200  # of what the converter says, for its reason
REFUSED = 3  # exit status of convert.py for a tokenizer that llama.cpp does not know


def main(job: Job, out: Path, events: Events) -> None:
    """Merge, convert, describe."""
    import torch

    torch.set_num_threads(job.threads)
    model = job.models["model"]
    facts = models.card(model)
    merged, target = out / "merged", out / "gguf"
    for folder in (merged, target):
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted run left
    target.mkdir()
    try:
        events.progress(0, STAGES, "merging")
        source = merge(model, merged) if model.form == "adapter" else checked(model)
        events.progress(1, STAGES, "converting")
        convert(source, target / "model.gguf", job.parameters["precision"])
    finally:
        shutil.rmtree(merged, ignore_errors=True)
    events.progress(2, STAGES, "describing")
    describe(model, target, facts, job.parameters["precision"])
    events.metric(0, {"bytes": (target / "model.gguf").stat().st_size})
    events.progress(STAGES, STAGES, "done")


def checked(model: Model) -> Path:
    """The folder of a complete model that may be converted as it is."""
    models.check_folder(model.path)
    return model.path


def merge(model: Model, folder: Path) -> Path:
    """Add the adapter's weights to its base model's and save the sum as a complete model."""
    base, tokenizer = models.load_base(model)
    whole = models.add_adapter(base, model).merge_and_unload()
    whole.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    converter.carry_vocabulary((model.base or model).path, folder)
    return folder


def convert(source: Path, target: Path, precision: str) -> None:
    """Run the converter in a process of its own: its memory is free afterwards, and it may change what it imports."""
    script = Path(__file__).with_name("convert.py")
    command = [sys.executable, str(script), str(source), "--outfile", str(target), "--outtype", precision]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    try:
        for line in process.stderr or ():
            sys.stderr.write(line)  # the log has all of it
            lines.append(line)
        status = process.wait()
    finally:
        process.terminate()  # nothing is left to end unless this process itself was asked to stop
        process.wait()
    if status == REFUSED:
        text = "llama.cpp does not know this model's tokenizer, so the model cannot be packaged for it."
        fail("tokenizer_unknown_to_llama_cpp", text)
    if status or not target.is_file():
        reason = converter.reason(lines, source) or f"status {status}"
        fail("conversion_failed", f"The converter could not package the model: {reason}", reason=reason)


def describe(model: Model, target: Path, facts: dict[str, Any], precision: str) -> None:
    """Write ``model.json``; the GGUF holds the chat template exactly if the tokenizer folder has one."""
    base = (model.base or model).path
    template = models.describe(base)["has_chat_template"]
    source = {"kind": "method", "reference": "export_gguf", "sha256": None}
    models.write_card(target, facts, form="gguf", dtype=precision, has_chat_template=template, source=source)


if __name__ == "__main__":
    entry.run(main, __doc__)
