"""PPO on the tiny model: it learns what is rewarded, goes on from a checkpoint, and takes checks and reward models."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import base, curve, rows, wait_for_step

from method_environments import method_python
from method_support import METHODS, Outcome, lines_of
from patience import PATIENCE

pytestmark = pytest.mark.torch

EXAMPLE = json.loads((METHODS / "ppo" / "example.json").read_text(encoding="utf-8"))
HAS_A = [{"check": "regex", "weight": 1.0, "parameters": {"pattern": "a"}}]


def training(tiny: Path, resume: Path | None = None, judge: Path | None = None, **changes: Any) -> dict[str, Any]:
    parameters = EXAMPLE["parameters"] | {"reward": HAS_A} | changes
    inputs: dict[str, Any] = {"base": base(tiny, "llama"), "dataset": rows(tiny)}
    if judge:
        inputs["judge"] = {"kind": "model", "form": "reward", "path": str(judge), "base": base(tiny, "gpt_neox")}
    return EXAMPLE | {"parameters": parameters, "inputs": inputs, "resume": resume and str(resume)}


def test_it_learns_what_is_rewarded_and_goes_on_where_it_was_interrupted(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any]
) -> None:
    python, job = str(method_python("ppo")), {"steps": 25, "prompts_per_step": 16, "learning_rate": 0.01}
    whole = run("ppo", training(tiny, **job), python)
    assert whole.status == 0, whole.stderr
    reward = [value for _, value in sorted(curve(whole, "reward").items())]
    assert len(reward) == 25
    assert sum(reward[-5:]) > sum(reward[:5]) + 0.4
    assert curve(whole, "reward/regex") == curve(whole, "reward")
    assert all(
        0 < length <= EXAMPLE["parameters"]["max_new_tokens"]
        for length in curve(whole, "completions/mean_length").values()
    )
    kl = curve(whole, "kl")
    assert abs(kl[1]) < 1e-3 < abs(kl[25]), "it begins as the base model, and leaves it"
    config = json.loads((whole.out / "adapter" / "adapter_config.json").read_text())
    assert (config["task_type"], config["base_model_name_or_path"]) == ("CAUSAL_LM", "base")

    process, out = start("ppo", training(tiny, **job), python, out="first")
    wait_for_step(process, out, 3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    first = Outcome(process.returncode, out, stderr)
    assert first.status == 143, stderr
    (checkpoint,) = first.of("checkpoint")
    folder = out / checkpoint["path"]
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}

    second = run("ppo", training(tiny, folder, **job), python)
    assert second.status == 0, second.stderr
    assert min(curve(second, "policy_loss")) == checkpoint["step"] + 1
    for name in ("reward", "kl", "policy_loss", "value_loss", "learning_rate"):
        assert {**curve(first, name), **curve(second, name)} == curve(whole, name)
    names = [one.out / "adapter" / "adapter_model.safetensors" for one in (whole, second)]
    assert names[0].read_bytes() == names[1].read_bytes()
    assert not (second.out / "restored").exists()


def test_what_cannot_be_trained_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    python = str(method_python("ppo"))
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "state.json").write_text("{}")
    for job, code in (
        (training(tiny, reward=[]), "reward_missing"), (training(tiny, parts=3), "parts_uneven"),
        (training(tiny, max_new_tokens=250), "prompt_too_long"),
        (training(tiny, tmp_path / "3"), "checkpoint_unreadable"),
    ):  # fmt: skip
        assert run("ppo", job, python).refusal["code"] == code


def test_a_reward_model_on_another_base_scores_and_a_constant_reward_is_told(
    tiny: Path, run: Callable[..., Outcome]
) -> None:
    example = json.loads((METHODS / "reward_model" / "example.json").read_text(encoding="utf-8"))
    pairs = {part: str(tiny / f"pairs-{part}.jsonl") for part in ("train", "test")}
    inputs = {"base": base(tiny, "gpt_neox"), "dataset": example["inputs"]["dataset"] | pairs}
    judge = run("reward_model", example | {"inputs": inputs}, str(method_python("reward_model")))
    assert judge.status == 0, judge.stderr

    never = [{"check": "regex", "weight": 1.0, "parameters": {"pattern": "never said"}}]
    python = str(method_python("ppo"))
    alone = run("ppo", training(tiny, judge=judge.out / "reward", reward=[], steps=1), python)
    assert alone.status == 0, alone.stderr
    both = run("ppo", training(tiny, judge=judge.out / "reward", reward=never, steps=1), python)
    assert curve(both, "reward") == curve(alone, "reward"), "the checks gave 0, which was added"
    assert curve(both, "reward")[1] != 0
    (told,) = run("ppo", training(tiny, reward=never), python).of("message")
    assert (told["level"], told["code"], told["params"]["reward"]) == ("warning", "reward_constant", 0)


SEEN = """
import sys
from pathlib import Path
from kit import datasets, job
sys.path.insert(0, "methods/ppo")
from questions import Questions
from kit.models import load_tokenizer
tokenizer = load_tokenizer(Path(sys.argv[1]))
tokenizer.pad_token = tokenizer.eos_token
rows = datasets.read(Path(sys.argv[2]), "prompt_completion", "train")
questions = Questions(rows, tokenizer, 200, 20, seed=3)
first = [next(iter(questions)) for _ in range(5)]
seen = [row.prompt[0]["content"] for row in questions.current]
print(questions.padding not in {tokenizer.eos_token_id, *sum(questions._ids, [])})
whole = [[token for token in row if token != questions.padding] for row in first[-1]["input_ids"].tolist()]
print(whole == [tokenizer.encode(datasets.render_prompt(row, tokenizer), add_special_tokens=False)
                for row in questions.current])
again = Questions(rows, tokenizer, 200, 20, seed=3)
again.done = 4
print(next(iter(again))["input_ids"].tolist() == first[-1]["input_ids"].tolist())
every = Questions(rows, tokenizer, 200, 24, seed=3)
print(len({row.prompt[0]["content"] for _ in range(2) for row in (next(iter(every)), every.current)[1]}))
"""


def test_no_question_loses_a_token_to_padding_and_each_step_has_its_questions(tiny: Path) -> None:
    printed = lines_of(method_python("ppo"), SEEN, str(tiny / "llama"), str(tiny / "train.jsonl"))
    assert " ".join(printed).split() == ["True", "True", "True", "48"]
