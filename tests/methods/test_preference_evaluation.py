"""Held-out pairs: whether a model finds the preferred answer more likely, by one pass for many rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from method_environments import method_python
from method_support import Outcome, lines_of

pytestmark = pytest.mark.torch

ONE_BY_ONE = """
import sys; sys.path.insert(0, "methods/evaluate")
from pathlib import Path
import torch
from kit import job, models, preferences
from preference import mean_log_probabilities, prefers_chosen
tiny, architecture = Path(sys.argv[1]), sys.argv[2]
model, tokenizer = models.load_base(job.Model("base", tiny / architecture), "float32")
pairs = preferences.read_pairs(tiny / "pairs-test.jsonl", "preference", "test")[:6]
encoded = preferences.tokenize_pairs(pairs, tokenizer, 200)
answers = [(one["prompt_ids"], one[name]) for one in encoded for name in ("chosen_ids", "rejected_ids")]
apart = []
for prompt, answer in answers:
    logs = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
    apart.append(sum(logs[len(prompt) + i - 1, token].item() for i, token in enumerate(answer)) / len(answer))
together = mean_log_probabilities(model.eval(), tokenizer.pad_token_id, answers)
print(max(abs(a - b) for a, b in zip(apart, together)))
judged = [one for batch in prefers_chosen(model, tokenizer, pairs, 4) for one in batch]
print(judged == [a > b for a, b in zip(apart[::2], apart[1::2])])
"""


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_many_rows_in_one_pass_are_as_likely_as_each_alone(tiny: Path, architecture: str) -> None:
    printed = lines_of(method_python("evaluate"), ONE_BY_ONE, str(tiny), architecture)
    difference, same = " ".join(printed).split()
    assert float(difference) < 1e-5
    assert same == "True"


def test_pairs_are_scored_without_writing_an_answer(tiny: Path, run: Callable[..., Outcome]) -> None:
    def model(name: str) -> dict[str, Any]:
        return {"kind": "model", "form": "base", "path": str(tiny / name)}

    rows = {"kind": "dataset", "format": "preference", "test": str(tiny / "pairs-test.jsonl")}
    inputs = {"candidate": model("llama"), "baseline": model("gpt_neox"), "dataset": rows}
    parameters = {"rows": 9, "batch_size": 5, "max_new_tokens": 0, "schema": {}, "checks": []}
    outcome = run("evaluate", {"method": "evaluate", "parameters": parameters, "inputs": inputs},
                  str(method_python("evaluate")))  # fmt: skip
    assert outcome.status == 0, outcome.stderr
    content = json.loads((outcome.out / "evaluation.json").read_text())
    found = content["metrics"]["preference_accuracy"]
    assert (content["primary_metric"], list(found), len(content["rows"])) == (
        "preference_accuracy", ["baseline", "candidate"], 9)  # fmt: skip
    for row in content["rows"]:
        for name, answer in row["answers"].items():
            assert (answer == row["expected"]) == bool(found[name][row["row"]])
    assert outcome.of("progress")[-1]["step"] == 18
