"""Does the packaged model say what the trained one does? Greedy answers by transformers and by the serving engine.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/parity.py [--base FOLDER] [--adapter FOLDER] [--steps 20]
        [--rows 20] [--precisions f16 bf16 q8_0 q4_k_m] [--threads N]

sft_demo teaches the base the shipped case, unless an adapter is given; the merged model answers held-out questions in
transformers, and each package of it through the agent's engine script over HTTP, at temperature 0. Printed for each
precision: how many answers are the same to the letter, how many are right, and where the others first differ. It has no
mark: two implementations round differently, and a quantized model is another model.
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from by_hand import dataset, imported, method, model, rows, run, write

from agent.environment import Environments
from agent.serving.engines import XLLAMACPP
from agent.settings import Settings
from control_plane.domain import verdict
from method_environments import CACHE, ROOT, method_python

LEARN = {
    "batch_size": 8, "max_length": 256, "learning_rate": 0.001, "schedule": "cosine", "precision": "bfloat16",
    "gradient_checkpointing": False, "lora_rank": 16, "lora_alpha": 32, "held_out_rows": 0, "checkpoint_every": 0,
}  # fmt: skip
MADE = ("f16", "bf16", "q8_0")  # by the converter; the others are quantized from f16
LONGEST = 64  # tokens of an answer
KEY = "parity"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--precisions", nargs="+", default=list(MADE))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = (given.base or imported(folder)).resolve()
        adapter = given.adapter or taught(folder, base, given)
        asked = rows("test")[: given.rows]
        reference = by_transformers(folder, base, adapter, asked, given.threads)
        expected = [row["completion"] for row in asked]
        report("transformers", reference, reference, expected)
        for precision in given.precisions:
            package = packaged(folder, base, adapter, precision, given.threads)
            with engine(folder / f"engine-{precision}", package, given.threads) as address:
                said = [by_engine(address, row["prompt"]) for row in asked]
            report(precision, said, reference, expected)


def taught(folder, base, given):
    train = write(folder / "train.jsonl", rows("train"))
    job = {"parameters": LEARN | {"steps": given.steps}, "inputs": {"base": model(base), "dataset": dataset(train)}}
    method("sft_demo", job, folder / "taught", given.threads)
    return folder / "taught/adapter"


def by_transformers(folder, base, adapter, asked, threads):
    inputs = {"candidate": model(adapter, base), "dataset": dataset(test=write(folder / "test.jsonl", asked))}
    job = {"method": "evaluate", "threads": threads, "inputs": inputs,
           "parameters": {"rows": len(asked), "max_new_tokens": LONGEST}}  # fmt: skip
    (folder / "greedy.json").write_text(json.dumps(job))
    script, out = ROOT / "tests/benchmarks/greedy.py", folder / "answers.json"
    run([method_python("evaluate"), script, "--job", folder / "greedy.json", "--out", out], folder / "log", threads)
    return json.loads(out.read_text())["answers"]


def packaged(folder, base, adapter, precision, threads):
    """The GGUF file of the merged model in a precision; made once."""
    file = folder / precision / "gguf/model.gguf"
    if not file.exists() and precision in MADE:
        job = {"parameters": {"precision": precision}, "inputs": {"model": model(adapter, base)}}
        method("export_gguf", job, folder / precision, threads)
    elif not file.exists():
        whole = packaged(folder, base, adapter, "f16", threads).parent
        job = {"parameters": {"precision": precision}, "inputs": {"model": model(whole) | {"form": "gguf"}}}
        method("quantize_gguf", job, folder / precision, threads)
    return file


@contextmanager
def engine(folder, package, threads):
    """The agent's engine with a package, as the agent starts it; its address."""
    folder.mkdir()
    wanted = {"model": str(package), "name": "parity", "context_length": 512, "slots": 1, "threads": threads}
    (folder / "engine.json").write_text(json.dumps(wanted | {"api_key": KEY}))
    environments = Environments(Settings(data=CACHE / "agent", environments=str(CACHE / "environments")))
    python = environments.ensure(XLLAMACPP.requirements.read_text(), "", folder / "build.log", lambda: None).python
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(python), "-I", str(XLLAMACPP.script), str(folder)], stdout=log, stderr=log)
    try:
        while not (folder / "ready.json").exists():
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text()[-1000:])
            time.sleep(0.1)
        yield json.loads((folder / "ready.json").read_text())["address"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def by_engine(address, question):
    body = {"model": "parity", "messages": [{"role": "user", "content": question}], "temperature": 0,
            "max_tokens": LONGEST}  # fmt: skip
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v1/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def report(name, said, reference, expected):
    same = [one == other for one, other in zip(said, reference, strict=True)]
    right = sum(one == other for one, other in zip(said, expected, strict=True))
    share = verdict.wilson(sum(same), len(same))
    print(
        f"{name:<12} {sum(same):3} of {len(same)} the same ({share.low:.0%} to {share.high:.0%}), {right} right",
        flush=True,
    )
    for number, (one, other) in enumerate(zip(said, reference, strict=True)):
        if one != other:
            place = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
            print(f"    row {number}, from character {place}: {other[place:][:40]!r} became {one[place:][:40]!r}")


if __name__ == "__main__":
    main()
