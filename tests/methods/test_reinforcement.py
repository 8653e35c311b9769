"""Learning by reward on the tiny models: the same numbers as TRL's own, also when it is interrupted; what it says."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import wait_for_step

from method_environments import method_python
from method_support import METHODS, Outcome, lines_of
from patience import PATIENCE

pytestmark = pytest.mark.torch


def job(tiny: Path, method: str, architecture: str = "llama", **changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((METHODS / method / "example.json").read_text(encoding="utf-8"))
    content["inputs"]["base"]["path"] = str(tiny / architecture)
    content["inputs"]["dataset"] |= {"train": str(tiny / "train.jsonl"), "test": None}
    content |= {"threads": 1, "resume": changes.pop("resume", None)}
    content["parameters"] |= changes
    return content


def rewards(outcome: Outcome) -> dict[int, tuple[float, ...]]:
    """Each step's numbers but its time."""
    return {one["step"]: tuple(value for name, value in sorted(one["values"].items()) if name != "step_seconds")
            for one in outcome.of("metric")}  # fmt: skip


def test_the_same_job_gives_the_same_rewards_also_when_interrupted(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any]
) -> None:
    python = str(method_python("grpo_demo"))
    asked = {"steps": 10, "checkpoint_every": 4, "reward": [{"check": "length", "parameters": {"maximum": 5}}]}
    whole = run("grpo_demo", job(tiny, "grpo_demo", **asked), python)
    assert whole.status == 0, whole.stderr
    expected = rewards(whole)
    assert list(expected) == list(range(1, 11))
    assert {"reward", "reward/length", "completions/mean_length"} <= {*whole.of("metric")[0]["values"]}
    assert "loss" not in whole.of("metric")[0]["values"]

    process, out = start("grpo_demo", job(tiny, "grpo_demo", **asked | {"steps": 4000}), python, out="first")
    try:
        wait_for_step(process, out, 5)
    finally:
        process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, stderr
    kept = min(int(path.name) for path in (out / "checkpoints").iterdir())
    second = run("grpo_demo", job(tiny, "grpo_demo", **asked, resume=str(out / "checkpoints" / str(kept))), python)
    assert second.status == 0, second.stderr
    assert rewards(second) == {step: numbers for step, numbers in expected.items() if step > kept}


def test_with_mlx_answers_become_better_and_a_checkpoint_leads_to_the_same_end(
    tiny: Path, run: Callable[..., Outcome]
) -> None:
    python = str(method_python("mlx_grpo"))
    asked = {"steps": 24, "checkpoint_every": 16, "learning_rate": 0.01, "group_size": 8,
             "reward": [{"check": "length", "parameters": {"maximum": 3}}]}  # fmt: skip
    whole = run("mlx_grpo", job(tiny, "mlx_grpo", **asked), python)
    assert whole.status == 0, whole.stderr
    got = [one["values"]["reward"] for one in whole.of("metric")]
    assert sum(got[-6:]) / 6 > sum(got[:6]) / 6 + 0.05
    assert "loss" not in whole.of("metric")[0]["values"]
    rest = run("mlx_grpo", job(tiny, "mlx_grpo", **asked, resume=str(whole.out / "checkpoints" / "16")), python)
    assert rest.status == 0, rest.stderr
    assert rewards(rest) == {step: numbers for step, numbers in rewards(whole).items() if step > 16}
    name = "adapter/adapter_model.safetensors"
    assert (rest.out / name).read_bytes() == (whole.out / name).read_bytes()


@pytest.mark.parametrize(("method", "architecture"), [("grpo", "gpt_neox"), ("rloo", "llama")])
def test_the_others_learn_tied_to_the_base(
    tiny: Path, run: Callable[..., Outcome], method: str, architecture: str
) -> None:
    asked = {"steps": 3, "beta": 0.1, "gradient_checkpointing": architecture == "llama"}
    outcome = run(method, job(tiny, method, architecture, **asked), str(method_python(method)))
    assert outcome.status == 0, outcome.stderr
    assert ["kl" in one["values"] for one in outcome.of("metric")] == [True] * 3
    assert {path.name for path in (outcome.out / "adapter").iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "model.json"}  # fmt: skip


def test_a_constant_reward_is_told(tiny: Path, run: Callable[..., Outcome]) -> None:
    reward = [{"check": "must_not_contain", "parameters": {"texts": ["☃"]}}]
    outcome = run("grpo_demo", job(tiny, "grpo_demo", steps=6, reward=reward), str(method_python("grpo_demo")))
    (told,) = outcome.of("message")
    assert (told["level"], told["code"], told["params"]) == ("warning", "reward_constant", {"steps": 5, "reward": 1.0})


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"max_new_tokens": 250}, "prompt_too_long"), ({"reward": [{"check": "cake"}]}, "check_unknown")],
)
@pytest.mark.parametrize("method", ["grpo_demo", "mlx_grpo"])
def test_what_cannot_be_is_refused(
    tiny: Path, run: Callable[..., Outcome], method: str, changes: dict[str, Any], code: str
) -> None:
    refused = run(method, job(tiny, method, **changes), str(method_python(method)))
    assert refused.refusal["code"] == code


COMPARE = """
import sys
from pathlib import Path
import torch
from kit import datasets, models, job, judging
from kit.events import Events
from kit.signals import Stop
from kit.training import adapters, lean, reinforcement, rewarded, rollouts
out = Path(sys.argv[1])
work = job.read(out / "job.json")
model, tokenizer = models.load_base(work.models["base"], "float32")
read = datasets.read(work.datasets["dataset"].train, "prompt_completion", "train")[:4]
read[1].prompt[0]["content"] = "Say what is open. " + read[1].prompt[0]["content"]
model = adapters.lora(model, work, {})
torch.manual_seed(1)
for name, weight in model.named_parameters():
    if "lora_B" in name: torch.nn.init.normal_(weight, std=0.1)
lean.lighten(model)
trainer = reinforcement._trainer(rewarded.RewardedGRPO, model, tokenizer, read, work, out, Events(out), Stop(),
                                 judging.Judged(work.parameters["reward"]), {})
assert trainer._shares
prompts = trainer._tokenize_prompts([one["prompt"] for one in trainer.train_dataset])[0][:3]
prompts = [one for one in prompts for _ in range(3)]
greedy = rollouts.Sampling(12, 1e-6, 1.0, tokenizer.pad_token_id)
answers = rollouts.sample(model, prompts, greedy, trainer.eos_token_ids)
for prompt, answer in zip(prompts, answers):
    plain = model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)[0, len(prompt):].tolist()
    assert plain == answer, (plain, answer)
odds = torch.tensor([0.0, 0.5, 0.3, 0.15, 0.05, 0.0])
for top_p, expected in ((1.0, odds), (0.6, torch.tensor([0.0, 0.625, 0.375, 0.0, 0.0, 0.0]))):
    drawn = rollouts.draw(odds.log().expand(40000, 6), rollouts.Sampling(1, 1.0, top_p, 0))
    shares = drawn.bincount(minlength=6) / len(drawn)
    assert (shares - expected).abs().max() < 0.01, shares
    assert (shares[expected == 0] == 0).all(), shares
loose = rollouts.Sampling(12, 1.0, 1.0, tokenizer.pad_token_id)
answers = rollouts.sample(model, prompts, loose, [*range(0, 300, 12), *trainer.eos_token_ids])
assert len({len(one) for one in answers}) > 1, answers
ids, mask = rollouts.padded_left(prompts, 0, "cpu")
width = max(map(len, answers))
ids = torch.cat([ids, torch.tensor([one + [0] * (width - len(one)) for one in answers])], dim=1)
mask = torch.cat([mask, torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in answers])], dim=1)
order = torch.randperm(len(ids))
ids, mask = ids[order], mask[order]
weights = torch.randn(len(ids), width) * mask[:, -width:]
for shares, checkpoints in ((True, False), (True, True), (False, False)):
    trainer._shares, trainer._checkpoints = shares, checkpoints
    model.zero_grad()
    logps = trainer._get_per_token_logps_and_entropies(model, ids, mask, width, compute_entropy=True)[0]
    (logps * weights).sum().backward()
    grads = torch.cat([p.grad.double().flatten() for p in model.parameters() if p.grad is not None])
    print((logps * weights).sum().item(), grads.abs().sum().item(), grads.sum().item(), grads[::97].sum().item())
"""


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_answers_and_gradients_are_those_of_the_whole_model(tiny: Path, tmp_path: Path, architecture: str) -> None:
    (tmp_path / "job.json").write_text(json.dumps(job(tiny, "grpo_demo", architecture, temperature=0.7)))
    printed = lines_of(method_python("grpo_demo"), COMPARE, str(tmp_path))
    together, apart, trls = ([float(one) for one in line.split()] for line in printed[-3:])
    assert trls[1] > 0
    assert together == pytest.approx(trls, rel=1e-3, abs=1e-4)
    assert apart == pytest.approx(trls, rel=1e-3, abs=1e-4)


def test_each_answer_is_judged_by_the_schema_of_its_own_row(
    tiny: Path, run: Callable[..., Outcome], tmp_path: Path
) -> None:
    forms = [{"type": "object", "required": [name]} for name in ("thing", "colour")]
    rows = [{"prompt": f"The red door {n} is open.", "schema": forms[n % 2]} for n in range(8)]
    path = tmp_path / "forms.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = job(tiny, "grpo_demo", steps=2, reward=[{"check": "row_schema"}])
    asked["inputs"]["dataset"] |= {"format": "prompt_schema", "train": str(path)}
    outcome = run("grpo_demo", asked, str(method_python("grpo_demo")))
    assert outcome.status == 0, outcome.stderr
    assert all("reward/row_schema" in one["values"] for one in outcome.of("metric"))
    asked["inputs"]["dataset"] |= {"format": "prompt_completion", "train": str(tiny / "train.jsonl")}
    refused = run("grpo_demo", asked, str(method_python("grpo_demo")))
    assert refused.refusal["code"] == "row_schema_missing"
