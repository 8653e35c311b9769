"""GRPO on a small real model: before and after by evaluation, and a step beside plain TRL's with equal settings.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/reinforcement.py [--base FOLDER] [--steps 30]
        [--threads N] [--no-trl] [--no-evaluation] [--out FOLDER]

FOLDER holds a complete model; without it SmolLM2 is imported. The rows are those of the shipped case, each with the
keys and values that the answer may have. Exits with 1 when a mark is missed.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import answers
from by_hand import imported, method, model, run

from method_environments import ROOT, method_python

MARK = 0.33  # seconds a step, ours / TRL's
HELD_OUT = 64  # questions
MARGIN = 0.03  # so much less reward at the end is noise of sampling


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--no-trl", action="store_true")
    parser.add_argument("--no-evaluation", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = (given.base or imported(Path(temporary))).resolve()
        bench = Bench(given.out or Path(temporary), base, given)
        ours = bench.ours()
        plain = None if given.no_trl else bench.plain()
        if not given.no_evaluation:
            bench.evaluate()
    sys.exit(0 if plain is None else compare(ours, plain))


class Bench:
    """One job in each way, on the same files."""

    def __init__(self, folder, base, given):
        self.folder, self.base, self.threads = folder, base, given.threads
        folder.mkdir(parents=True, exist_ok=True)
        self.dataset = answers.written(folder, is_told=True)
        self.parameters = {
            "reward": [{"check": "json_schema", "weight": 1.0, "parameters": {"schema": answers.schema()}},
                       {"check": "json_fields", "weight": 1.0, "parameters": {}}],
            "steps": given.steps, "prompts_per_step": 2, "group_size": 8, "max_new_tokens": 56, "learning_rate": 0.0002,
            "schedule": "constant", "temperature": 1.0, "top_p": 1.0, "beta": 0.0, "precision": "bfloat16",
            "gradient_checkpointing": False, "lora_rank": 16, "lora_alpha": 32, "checkpoint_every": 0,
        }  # fmt: skip

    def ours(self):
        """{"rewards", "step_seconds"} of our method by hand."""
        job = {"parameters": self.parameters, "inputs": {"base": model(self.base), "dataset": self.dataset}}
        begun = time.perf_counter()
        events = method("grpo_demo", job, self.folder / "ours", self.threads)
        values = [event["values"] for event in events if event["kind"] == "metric"]
        found = {"rewards": [one["reward"] for one in values], "step_seconds": [one["step_seconds"] for one in values]}
        show("ours", found, time.perf_counter() - begun)
        return found

    def plain(self):
        """The same of a plain TRL script."""
        out = self.folder / "plain.json"
        script = ROOT / "tests/benchmarks/plain_grpo.py"
        begun = time.perf_counter()
        given = ["--job", self.folder / "ours/job.json", "--out", out]
        run([method_python("grpo_demo"), script, *given], self.folder / "plain.log", self.threads)
        found = json.loads(out.read_text())
        show("plain TRL", found, time.perf_counter() - begun)
        return found

    def evaluate(self):
        """The base model and the result on the held-out rows."""
        adapter, folder = self.folder / "ours/adapter", self.folder / "evaluation"
        answers.compare(folder, self.base, adapter, self.dataset, HELD_OUT, self.threads)


def show(name, found, seconds):
    rewards = found["rewards"]
    width = max(1, min(5, len(rewards) // 2))
    first, last = statistics.mean(rewards[:width]), statistics.mean(rewards[-width:])
    step = statistics.median(found["step_seconds"])
    print(f"{name:<10} {step:6.2f} s a step, {seconds:5.0f} s in all, reward {first:.3f} → {last:.3f}", flush=True)


def compare(ours, plain):
    ratio = statistics.median(ours["step_seconds"]) / statistics.median(plain["step_seconds"])
    behind = statistics.mean(plain["rewards"][-5:]) - statistics.mean(ours["rewards"][-5:])
    print(f"a step, ours / plain TRL     {ratio:6.3f}  mark ≤ {MARK}  {'reached' if ratio <= MARK else 'MISSED'}")
    print(f"reward at the end, behind    {behind:6.3f}  mark ≤ {MARGIN}  {'reached' if behind <= MARGIN else 'MISSED'}")
    return int(ratio > MARK or behind > MARGIN)


if __name__ == "__main__":
    main()
