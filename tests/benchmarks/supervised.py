"""SFT by hand against a plain TRL script: seconds a step, losses and peak memory, for short and for long rows.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/supervised.py [--base FOLDER] [--steps 12] [--rounds 2]
        [--length 0] [--batch 8] [--threads N]

--length 0 takes the shipped case's rows as they are (some 75 tokens). Another one joins rows to questions of about so
many tokens, whose answers are all their records. The two take turns. Without --base SmolLM2 is imported. Exits with 1
when a mark is missed.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from by_hand import SEED, dataset, imported, method, model, rows, run, write

from method_environments import ROOT, method_python

MARK = 0.30  # seconds a step, ours / TRL's, for short rows
LOSS_TOLERANCE = 0.05  # mean absolute difference between ours and plain TRL, in nats
TOKENS = 65  # of a row of the case, without the template
PARAMETERS = {
    "learning_rate": 0.001, "schedule": "cosine", "precision": "bfloat16", "gradient_checkpointing": False,
    "lora_rank": 16, "lora_alpha": 32, "held_out_rows": 0, "checkpoint_every": 0,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--length", type=int, default=0)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = (given.base or imported(folder)).resolve()
        train = write(folder / "train.jsonl", joined(rows("train"), given.length))
        parameters = PARAMETERS | {"steps": given.steps, "batch_size": given.batch, "max_length": 2048}
        ours, plain = [], []
        for number in range(given.rounds):
            ours.append(by_hand(folder / f"ours-{number}", base, train, parameters, given.threads))
            plain.append(by_trl(folder, base, train, parameters, given.threads))
    sys.exit(report(ours, plain, given.length))


def joined(found, length):
    """Rows of about so many tokens each: several questions in one, and a list of their answers."""
    size = max(1, length // TOKENS)
    if size == 1:
        return found
    groups = [[found[(start + number) % len(found)] for number in range(size)] for start in range(len(found))]
    return [
        {
            "prompt": "\n".join(row["prompt"] for row in group),
            "completion": "\n".join(row["completion"] for row in group),
        }
        for group in groups
    ]


def by_hand(out, base, train, parameters, threads):
    """{"losses", "step_seconds", "peak"} of our method."""
    events = method(
        "sft_demo", {"parameters": parameters, "inputs": {"base": model(base), "dataset": dataset(train)}}, out, threads
    )
    values = [event["values"] for event in events if event["kind"] == "metric"]
    return {
        "losses": [one["loss"] for one in values], "step_seconds": [one["step_seconds"] for one in values],
        "peak": int((out / "peak").read_text()),
    }  # fmt: skip


def by_trl(folder, base, train, parameters, threads):
    """The same of the plain script."""
    out, script = folder / "plain.json", ROOT / "tests/benchmarks/plain_trl.py"
    given = ["--base", base, "--train", train, "--parameters", json.dumps(parameters), "--seed", SEED, "--out", out]
    peak = run([method_python("sft_demo"), script, *given], folder / "plain.log", threads)
    return json.loads(out.read_text()) | {"peak": peak}


def report(ours, plain, length):
    steps, peaks = [], []
    for name, runs in (("ours", ours), ("plain TRL", plain)):
        steps.append(
            statistics.median(second for one in runs for second in one["step_seconds"][1:])
        )  # the first allocates
        peaks.append(max(one["peak"] for one in runs))
        print(f"{name:<10} {steps[-1]:6.3f} s a step, {peaks[-1] / 1e9:.2f} GB at most")
    pairs = zip(ours[-1]["losses"], plain[-1]["losses"], strict=True)
    apart = statistics.mean(abs(one - other) for one, other in pairs)
    ratio = steps[0] / steps[1]
    mark = f"mark ≤ {MARK}  {'reached' if ratio <= MARK else 'MISSED'}" if not length else "no mark"
    print(f"a step, ours / plain TRL     {ratio:6.3f}  {mark}")
    print(f"memory, ours / plain TRL     {peaks[0] / peaks[1]:6.3f}  no mark")
    said = "reached" if apart <= LOSS_TOLERANCE else "MISSED"
    print(f"losses apart                 {apart:6.3f}  mark ≤ {LOSS_TOLERANCE}  {said}")
    return int((not length and ratio > MARK) or apart > LOSS_TOLERANCE)


if __name__ == "__main__":
    main()
