"""GRPO on a small real model: before and after by evaluation, and a step beside plain TRL's with equal settings.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/reinforcement.py --base FOLDER [--no-trl]

FOLDER holds a complete model, for one the demo's SmolLM2-135M-Instruct. The rows are those of the shipped case, each
with the keys and values that the answer may have. Exits with 1 when a mark is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from method_environments import ROOT, method_python

CASE = ROOT / "control_plane/cases/machine_faults"
KEYS = ("machine", "part", "fault", "priority")
ASK = (
    ' Answer with one JSON object and nothing else, with the keys "machine", "part", "fault" and "priority", for '
    'example {{"machine": "press 3", "part": "valve", "fault": "leak", "priority": "low"}}. fault is one of: {faults}. '
    "priority is one of: {priorities}."
)
MARK = 0.33  # seconds a step, ours / TRL's
MARGIN = 0.03  # so much less reward at the end is noise of sampling


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--no-trl", action="store_true")
    parser.add_argument("--no-evaluation", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(given.out or Path(temporary), given.base.resolve(), given.steps)
        ours = bench.ours()
        plain = None if given.no_trl else bench.plain()
        if not given.no_evaluation:
            bench.evaluate()
    sys.exit(0 if plain is None else compare(ours, plain))


def rows(part):
    """The case's rows, with what an answer may hold in each question; and the values of each key."""
    read = [json.loads(line) for line in (CASE / f"{part}.jsonl").read_text().splitlines()]
    return [(row["prompt"], row["completion"], json.loads(row["completion"])) for row in read]


class Bench:
    """One job in each way, on the same files."""

    def __init__(self, folder, base, steps):
        self.folder, self.base = folder, base
        folder.mkdir(parents=True, exist_ok=True)
        values = {key: sorted({answer[key] for *_, answer in rows("train")}) for key in ("fault", "priority")}
        for part in ("train", "test"):
            ask = ASK.format(faults=", ".join(values["fault"]), priorities=", ".join(values["priority"]))
            lines = [
                json.dumps({"prompt": prompt + ask, "completion": completion}) for prompt, completion, _ in rows(part)
            ]
            (folder / f"{part}.jsonl").write_text("".join(f"{line}\n" for line in lines))
        self.schema = {
            "type": "object", "required": list(KEYS), "additionalProperties": False,
            "properties": {key: {"enum": values[key]} if key in values else {"type": "string"} for key in KEYS},
        }  # fmt: skip
        self.job = {
            "method": "grpo_demo", "seed": 42, "devices": ["cpu:0"], "threads": os.cpu_count(), "resume": None,
            "reward": None, "inputs": self.inputs("base"),
            "parameters": {
                "reward": [{"check": "json_schema", "weight": 1.0, "parameters": {"schema": self.schema}},
                           {"check": "json_fields", "weight": 1.0, "parameters": {}}],
                "steps": steps, "prompts_per_step": 2, "group_size": 8, "max_new_tokens": 56, "learning_rate": 0.0002,
                "schedule": "constant", "temperature": 1.0, "top_p": 1.0, "beta": 0.0, "precision": "bfloat16",
                "gradient_checkpointing": False, "lora_rank": 16, "lora_alpha": 32, "checkpoint_every": 0,
            },
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(self.job))

    def inputs(self, name):
        paths = {part: str(self.folder / f"{part}.jsonl") for part in ("train", "test")}
        return {
            name: {"kind": "model", "form": "base", "path": str(self.base)},
            "dataset": {"kind": "dataset", "format": "prompt_completion", **paths},
        }

    def ours(self):
        """{"rewards", "step_seconds"} of our method by hand."""
        out = self.folder / "ours"
        script = ROOT / "methods/grpo_demo/train.py"
        seconds = self.run("grpo_demo", script, "--job", self.folder / "job.json", "--out", out)
        events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
        values = [event["values"] for event in events if event["kind"] == "metric"]
        found = {"rewards": [one["reward"] for one in values], "step_seconds": [one["step_seconds"] for one in values]}
        show("ours", found, seconds)
        return found

    def plain(self):
        """The same of a plain TRL script."""
        out = self.folder / "plain.json"
        script = ROOT / "tests/benchmarks/plain_grpo.py"
        seconds = self.run("grpo_demo", script, "--job", self.folder / "job.json", "--out", out)
        found = json.loads(out.read_text())
        show("plain TRL", found, seconds)
        return found

    def evaluate(self):
        """The base model and the result on the held-out rows."""
        base = self.inputs("baseline")
        adapter = {
            "kind": "model",
            "form": "adapter",
            "path": str(self.folder / "ours/adapter"),
            "base": base["baseline"],
        }
        job = self.job | {"method": "evaluate", "inputs": base | {"candidate": adapter}}
        job["parameters"] = {"rows": 64, "max_new_tokens": 0, "batch_size": 32, "schema": self.schema,
                             "checks": [{"check": "json_fields", "parameters": {}}]}  # fmt: skip
        (self.folder / "evaluate.json").write_text(json.dumps(job))
        script, out = ROOT / "methods/evaluate/evaluate.py", self.folder / "evaluation"
        self.run("evaluate", script, "--job", self.folder / "evaluate.json", "--out", out)
        for metric, scores in json.loads((out / "evaluation.json").read_text())["metrics"].items():
            for name, found in scores.items():
                print(f"{metric:<14} {name:<10} {sum(found):6.1f} of {len(found)}")

    def run(self, method, *command):
        threads = {"OMP_NUM_THREADS": str(os.cpu_count()), "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
        environment = os.environ | {"PYTHONPATH": str(ROOT / "methods")} | threads
        begun = time.perf_counter()
        with (self.folder / "output.log").open("ab") as log:
            whole = [str(method_python(method)), *map(str, command)]
            subprocess.run(whole, env=environment, check=True, stdout=log, stderr=log)
        return time.perf_counter() - begun


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
