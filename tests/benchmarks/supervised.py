"""SFT by hand against a plain TRL script, and LLaMA-Factory: seconds a step, losses, peak memory; short and long rows.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/supervised.py [--base FOLDER] [--steps 12] [--rounds 2]
        [--length 0] [--batch 8] [--threads N] [--llamafactory PYTHON]

--length 0 takes the shipped case's rows as they are (some 75 tokens). Another one joins rows to questions of about so
many tokens, whose answers are all their records. They take turns. Without --base SmolLM2 is imported. Exits with 1 when
a mark is missed. LLaMA-Factory needs an environment of its own, whose interpreter the option names
(`uv venv FOLDER; uv pip install --python FOLDER torch==2.13.0 llamafactory==0.9.5`).
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

MARKS = {"plain TRL": 0.30, "LLaMA-Factory": 0.50}  # seconds a step, ours / the peer's, for short rows
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
    parser.add_argument("--llamafactory", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = (given.base or imported(folder)).resolve()
        train = write(folder / "train.jsonl", joined(rows("train"), given.length))
        parameters = PARAMETERS | {"steps": given.steps, "batch_size": given.batch, "max_length": 2048}
        peers = {"plain TRL": (method_python("sft_demo"), "plain_trl.py")}
        if given.llamafactory:
            peers["LLaMA-Factory"] = (given.llamafactory.absolute(), "plain_llamafactory.py")
        ours, theirs = [], {name: [] for name in peers}
        for number in range(given.rounds):
            ours.append(by_hand(folder / f"ours-{number}", base, train, parameters, given.threads))
            for name, (python, script) in peers.items():
                theirs[name].append(by_peer(folder, python, script, base, train, parameters, given.threads))
    sys.exit(report(ours, theirs, is_marked=not given.length))


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


def by_peer(folder, python, script, base, train, parameters, threads):
    """The same of a peer's script."""
    out = folder / "peer.json"
    given = ["--base", base, "--train", train, "--parameters", json.dumps(parameters), "--seed", SEED, "--out", out]
    peak = run([python, ROOT / "tests/benchmarks" / script, *given], folder / "peer.log", threads, is_ours=False)
    return json.loads(out.read_text()) | {"peak": peak}


def report(ours, theirs, is_marked):
    """Print what came out; 1 where a mark is missed."""
    seconds, peak = measured("ours", ours)
    missed = False
    for name, runs in theirs.items():
        peer_seconds, peer_peak = measured(name, runs)
        ratio = seconds / peer_seconds
        pairs = zip(ours[-1]["losses"], runs[-1]["losses"], strict=True)
        apart = statistics.mean(abs(one - other) for one, other in pairs)
        said = f"mark ≤ {MARKS[name]}  {'reached' if ratio <= MARKS[name] else 'MISSED'}" if is_marked else "no mark"
        print(f"a step, ours / {name:<14} {ratio:6.3f}  {said}")
        print(f"memory, ours / {name:<14} {peak / peer_peak:6.3f}  no mark")
        said = "reached" if apart <= LOSS_TOLERANCE else "MISSED"
        print(f"losses apart from {name:<11} {apart:6.3f}  mark ≤ {LOSS_TOLERANCE}  {said}")
        missed |= (is_marked and ratio > MARKS[name]) or apart > LOSS_TOLERANCE
    return int(missed)


def measured(name, runs):
    """Median seconds a step without the first, which allocates, and the most bytes of memory."""
    seconds = statistics.median(second for one in runs for second in one["step_seconds"][1:])
    peak = max(one["peak"] for one in runs)
    print(f"{name:<14} {seconds:6.3f} s a step, {peak / 1e9:.2f} GB at most")
    return seconds, peak


if __name__ == "__main__":
    main()
