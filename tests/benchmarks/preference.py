"""What learning preferences costs and brings: our dpo by hand against a plain TRL script, on pairs of the demo's case.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/preference.py [--base FOLDER] [--steps 12] [--rounds 2]
    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/preference.py --learn 60

The preferred answer is the right one, the other has one field of another row. The two take turns; printed: seconds a
step (median over all rounds), their ratio, how far the losses are apart, and what asking the reference once costs. With
--learn so many steps are learned and held-out pairs judged by base and result. Without --base SmolLM2 is imported.
Exits with 1 when a mark is missed.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from by_hand import SEED, dataset, imported, method, model, rows, run, write

from control_plane.domain import verdict
from method_environments import ROOT, method_python

MARK_PLAIN = 0.5  # seconds a step, as a ratio
LOSS_TOLERANCE = 0.05  # mean absolute difference between ours and plain TRL
PARAMETERS = {
    "batch_size": 4, "max_length": 512, "beta": 0.1, "loss": "sigmoid", "learning_rate": 0.0002, "schedule": "cosine",
    "warmup_steps": 0, "accumulation": 1, "precision": "bfloat16", "gradient_checkpointing": False, "lora_rank": 16,
    "lora_alpha": 32, "held_out_rows": 0, "checkpoint_every": 0,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--learn", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = (given.base or imported(folder)).resolve()
        if given.learn:
            sys.exit(learn(folder, base, given.learn))
        sys.exit(race(folder, base, given.steps, given.rounds))


def race(folder, base, steps, rounds):
    """Ours and plain TRL, in turns."""
    parameters = PARAMETERS | {"steps": steps}
    learned = pairs("train")
    write(folder / "train.jsonl", learned)
    chance = random.Random(SEED)
    write(
        folder / "ordered.jsonl", chance.sample(learned, steps * parameters["batch_size"])
    )  # the order that dpo takes
    ours, plain, reference = [], [], []
    for number in range(rounds):
        out = folder / f"ours-{number}"
        events = method("dpo", dpo_job(base, folder, parameters), out)
        told = [event["values"] for event in events if event["kind"] == "metric"]
        ours += [one["step_seconds"] for one in told][1:]  # the first step allocates
        begun = {event["stage"]: event["time"] for event in reversed(events) if event["kind"] == "progress"}
        reference.append(begun["training"] - begun["reference"])
        found = plain_trl(folder, base, parameters)
        plain += found["step_seconds"][1:]
    losses = [one["loss"] for one in told], found["losses"]
    apart = statistics.mean(abs(one - other) for one, other in zip(*losses, strict=True))
    ratio = statistics.median(ours) / statistics.median(plain)
    with_reference = (statistics.median(ours) + statistics.median(reference) / steps) / statistics.median(plain)
    print(f"ours      {statistics.median(ours):6.3f} s a step (n = {len(ours)})")
    print(f"plain TRL {statistics.median(plain):6.3f} s a step (n = {len(plain)})")
    print(f"reference {statistics.median(reference):6.2f} s once for {steps} steps")
    marks = [("ours / plain TRL", ratio, MARK_PLAIN), ("losses apart", apart, LOSS_TOLERANCE)]
    for name, value, mark in [*marks, ("… with the reference's share", with_reference, MARK_PLAIN)]:
        print(f"{name:<30} {value:6.3f}  mark ≤ {mark}  {'reached' if value <= mark else 'MISSED'}")
    return int(any(value > mark for _, value, mark in marks))


def learn(folder, base, steps):
    """How many held-out pairs base and result tell apart, with intervals."""
    for part in ("train", "test"):
        write(folder / f"{part}.jsonl", pairs(part))
    begun = time.perf_counter()
    method("dpo", dpo_job(base, folder, PARAMETERS | {"steps": steps}), folder / "dpo")
    seconds = time.perf_counter() - begun
    parameters = {"rows": 10_000, "batch_size": 8, "max_new_tokens": 0, "schema": {}}
    asked = dataset(test=folder / "test.jsonl", form="preference")
    inputs = {"baseline": model(base), "candidate": model(folder / "dpo/adapter", base), "dataset": asked}
    method("evaluate", {"parameters": parameters, "inputs": inputs}, folder / "evaluate")
    content = json.loads((folder / "evaluate/evaluation.json").read_text())
    scores = content["metrics"]["preference_accuracy"]
    for name in ("baseline", "candidate"):
        found = verdict.score(scores[name])
        print(f"{name:<10} {found.value:.1%} of {len(scores[name])} pairs ({found.low:.1%} to {found.high:.1%})")
    gain = verdict.difference(scores["candidate"], scores["baseline"])
    print(f"difference {gain.value:+.1%} ({gain.low:+.1%} to {gain.high:+.1%}): {verdict.of(gain)}")
    print(f"{steps} steps in {seconds / 60:.1f} min")
    return 0


def pairs(part):
    """The case's rows, with one field of another row's answer as what is not wanted."""
    given = rows(part)
    chance = random.Random(SEED)
    found = []
    for row in given:
        right = json.loads(row["completion"])
        while True:
            field = chance.choice(list(right))
            wrong = right | {field: json.loads(chance.choice(given)["completion"])[field]}
            if wrong != right:
                break
        found.append({"prompt": row["prompt"], "chosen": row["completion"], "rejected": json.dumps(wrong)})
    return found


def dpo_job(base, folder, parameters):
    inputs = {"base": model(base), "dataset": dataset(folder / "train.jsonl", form="preference")}
    return {"parameters": parameters, "inputs": inputs}


def plain_trl(folder, base, parameters):
    out = folder / "plain.json"
    script = ROOT / "tests/benchmarks/plain_dpo.py"
    given = ["--base", base, "--train", folder / "ordered.jsonl", "--parameters", json.dumps(parameters)]
    run([method_python("dpo"), script, *given, "--seed", SEED, "--out", out], folder / "plain.log", is_ours=False)
    return json.loads(out.read_text())


if __name__ == "__main__":
    main()
