"""Write a GGUF file again in one of llama.cpp's K-quants, by llama.cpp's own quantizer.

PYTHONPATH=methods python methods/quantize_gguf/quantize.py --job job.json --out out/
"""

import shutil
import subprocess
import sys
from pathlib import Path

from kit import entry, models
from kit.events import Events, fail
from kit.job import Job

STAGES = 2


def main(job: Job, out: Path, events: Events) -> None:
    """Quantize, describe."""
    model, precision = job.models["model"], job.parameters["precision"]
    target = out / "gguf"
    shutil.rmtree(target, ignore_errors=True)  # what an interrupted run left
    target.mkdir()
    events.progress(0, STAGES, "quantizing")
    quantize(gguf_of(model.path), target / "model.gguf", precision, job.threads)
    events.progress(1, STAGES, "describing")
    source = {"kind": "method", "reference": "quantize_gguf", "sha256": None}
    models.write_card(target, models.card(model), dtype=precision, source=source)
    events.metric(0, {"bytes": (target / "model.gguf").stat().st_size})
    events.progress(STAGES, STAGES, "done")


def gguf_of(folder: Path) -> Path:
    """The one GGUF file of a packaged model."""
    found = sorted(folder.glob("*.gguf"))
    if len(found) != 1:
        fail("model_without_gguf", f"There is not exactly one GGUF file in {folder.name}.", path=folder.name)
    return found[0]


def quantize(source: Path, target: Path, precision: str, threads: int) -> None:
    """Run the quantizer in a process of its own: it runs in C, where no request to end would be heard."""
    script = Path(__file__).with_name("llama_quantizer.py")
    process = subprocess.Popen([sys.executable, str(script), str(source), str(target), precision, str(threads)])
    try:
        status = process.wait()
    finally:
        process.terminate()  # nothing is left to end unless this process itself was asked to stop
        process.wait()
    if status or not target.is_file():
        fail("quantization_failed", f"The quantizer ended with status {status}; the log has its reason.", status=status)


if __name__ == "__main__":
    entry.run(main, __doc__)
