"""Learning from pairs and from judged answers, on the tiny models: it learns, it resumes, it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from method_environments import method_python
from method_support import METHODS, Outcome, lines_of

pytestmark = pytest.mark.torch

PAIRS = {"held_out_accuracy", "held_out_margin", "rewards/accuracies", "rewards/margins"}
JUDGED = {"held_out_margin", "rewards/margins"}
WATCHED = {"held_out_accuracy", "held_out_margin"}
PREFERRING = {  # method → what it tells beside losses
    "reward_model": PAIRS, "dpo": PAIRS, "orpo": PAIRS, "kto": JUDGED, "mlx_dpo": WATCHED,
}  # fmt: skip


def job(tiny: Path, method: str, **changes: Any) -> dict[str, Any]:
    """The method's example, with other parameters; `resume` and `base` (a folder) belong to the job itself."""
    text = (METHODS / method / "example.json").read_text().replace("/tmp/tunesmith-example", str(tiny))
    content: dict[str, Any] = json.loads(text)
    content["resume"] = changes.pop("resume", None)
    content["inputs"]["base"]["path"] = str(changes.pop("base", tiny / "llama"))
    content["parameters"] |= changes
    return content


def values(outcome: Outcome) -> dict[int, dict[str, float]]:
    """What each step reported, but for the time it took."""
    return {
        one["step"]: {name: value for name, value in one["values"].items() if name != "step_seconds"}
        for one in outcome.of("metric")
    }


def weights(outcome: Outcome) -> bytes:
    (path,) = outcome.out.glob("*/adapter_model.safetensors")
    return path.read_bytes()


@pytest.mark.parametrize("method", PREFERRING)
def test_it_learns_and_goes_on_from_a_checkpoint_elsewhere_to_the_same_weights(
    tiny: Path, run: Callable[..., Outcome], tmp_path: Path, method: str
) -> None:
    whole = run(method, job(tiny, method, steps=12, checkpoint_every=8), str(method_python(method)))
    assert whole.status == 0, whole.stderr
    told = values(whole)
    assert told[12]["held_out_loss"] < told[0]["held_out_loss"]
    assert {*told[0], *told[12]} >= PREFERRING[method]
    assert all(told[12][name] > told[0][name] for name in PREFERRING[method] & told[0].keys())

    moved = shutil.copytree(whole.out / "checkpoints" / "8", tmp_path / "elsewhere")
    resumed = job(tiny, method, steps=12, checkpoint_every=8, resume=str(moved))
    rest = run(method, resumed, str(method_python(method)))
    assert rest.status == 0, rest.stderr
    assert values(rest) == {step: one for step, one in told.items() if step > 8}
    assert weights(rest) == weights(whole)


def test_another_architecture_and_no_rows_to_watch(tiny: Path, run: Callable[..., Outcome]) -> None:
    wanted = job(tiny, "reward_model", steps=2, held_out_rows=0, base=tiny / "gpt_neox")
    outcome = run("reward_model", wanted, str(method_python("reward_model")))
    assert outcome.status == 0, outcome.stderr
    assert list(values(outcome)) == [1, 2]
    (card,) = outcome.out.glob("*/model.json")
    assert json.loads(card.read_text())["architecture"] == "GPTNeoXForCausalLM"
    assert str(tiny) not in (card.parent / "adapter_config.json").read_text()


SCORED = """
import sys
from pathlib import Path
from kit import job, preferences, reward_models
tiny, learned = Path(sys.argv[1]), Path(sys.argv[2])
model = job.Model("reward", learned, job.Model("base", tiny / "llama"))
score = reward_models.scorer(model, size=5)
pairs = preferences.read_pairs(tiny / "pairs-test.jsonl", "preference", "test")
prompts = [pair.prompt for pair in pairs]
chosen, rejected = (score(prompts, [getattr(pair, name) for pair in pairs]) for name in ("chosen", "rejected"))
margins = [a - b for a, b in zip(chosen, rejected)]
print(sum(margins) / len(pairs), sum(margin > 0 for margin in margins) / len(pairs))
alone = [score([pair.prompt], [pair.chosen])[0] for pair in pairs]
print(max(abs(a - b) for a, b in zip(alone, chosen)), score([], []))
"""


def test_a_reward_model_scores_answers_as_it_did_while_it_learned(tiny: Path, run: Callable[..., Outcome]) -> None:
    learned = run("reward_model", job(tiny, "reward_model", steps=10), str(method_python("reward_model")))
    assert learned.status == 0, learned.stderr
    card = json.loads((learned.out / "reward" / "model.json").read_text())
    assert (card["form"], card["packaging_problem"]) == ("reward", "reward_not_packaged")
    last = values(learned)[10]
    printed = lines_of(method_python("reward_model"), SCORED, str(tiny), str(learned.out / "reward"))
    first, second = printed
    found = [float(number) for number in first.split()]
    assert found == pytest.approx([last["held_out_margin"], last["held_out_accuracy"]], abs=1e-5)
    assert float(second.split()[0]) < 1e-5, "a score does not depend on what is scored beside it"


def test_a_base_that_cannot_judge_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    silent = shutil.copytree(tiny / "llama", tmp_path / "silent")
    (silent / "chat_template.jinja").unlink()
    python = str(method_python("reward_model"))
    assert (
        run("reward_model", job(tiny, "reward_model", base=silent), python).refusal["code"] == "chat_template_missing"
    )
    strange = shutil.copytree(tiny / "llama", tmp_path / "strange")
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps(config | {"model_type": "whisper", "architectures": ["Whisper"]}))
    refusal = run("reward_model", job(tiny, "reward_model", base=strange), python).refusal
    assert (refusal["code"], refusal["params"]) == ("reward_architecture_unknown", {"architecture": "Whisper"})


COMPARED = """
import sys
from pathlib import Path
import torch
from datasets import Dataset
from kit import job, models, preferences, signals
from kit.events import Events
from kit.training import adapters, lean, likelihood
from kit.training.pairs import ALSO, PairTrainer
from kit.training.report import Report
from trl import DPOConfig, DPOTrainer
tiny, architecture, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
model, tokenizer = models.load_base(job.Model("base", tiny / architecture), "float32")
work = job.Job("dpo", {"lora_rank": 4, "lora_alpha": 8}, {}, {}, 1, ("cpu:0",), 1, None, None)
pairs = preferences.read_pairs(tiny / "pairs-train.jsonl", "preference", "train")[:6]
pairs[0].prompt[0]["content"] *= 3
for pair in pairs: pair.prompt[0]["content"] = "Say what is open and its colour. " + pair.prompt[0]["content"]
pairs = preferences.tokenize_pairs(pairs, tokenizer, 128)
model = adapters.lora(model, work, {})
torch.manual_seed(1)
for name, weight in model.named_parameters():
    if "lora_B" in name: torch.nn.init.normal_(weight, std=0.1)
config = DPOConfig(output_dir=str(out), per_device_train_batch_size=6, use_cpu=True, bf16=False, max_length=None,
                   gradient_checkpointing=False, report_to="none", max_steps=1)
report = Report(Events(out), signals.Stop(), 1, ALSO)
trainer = PairTrainer(model=model, args=config, train_dataset=Dataset.from_list(pairs), processing_class=tokenizer,
                      report=report)
lean.lighten(model)
told = []
def numbers(loss):
    model.zero_grad(); loss.backward()
    grads = torch.cat([one.grad.double().flatten() for one in model.parameters() if one.grad is not None])
    kept = [trainer._metrics["train"][name][-1] for name in ALSO]
    return [loss.item(), grads.abs().sum().item(), grads.sum().item(), grads[::97].sum().item(), *kept]
trainer.remember(pairs)
inputs = trainer._prepare_inputs(trainer.data_collator(pairs))
print(trainer._asked.shares, *numbers(trainer.compute_loss(model, dict(inputs))))
labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
assert likelihood.beside(inputs["input_ids"], inputs["attention_mask"], labels).shared >= lean.WORTHWHILE
trainer._asked.begins = False
print(trainer._asked.shares, *numbers(trainer.compute_loss(model, dict(inputs))))
trainer._asked.shares = False
print(trainer._asked.shares, *numbers(trainer.compute_loss(model, dict(inputs))))
for module in model.modules(): module.__dict__.pop("forward", None) if isinstance(module, lean.lora.Linear) else None
trainer.precompute_ref_logps = False
plain = {name: value for name, value in inputs.items() if not name.startswith("ref_")}
print("TRL", *numbers(DPOTrainer._compute_loss(trainer, model, plain, False)))
"""


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_a_pair_in_one_row_has_the_loss_and_the_gradient_that_it_has_in_two(
    tiny: Path, tmp_path: Path, architecture: str
) -> None:
    printed = lines_of(method_python("dpo"), COMPARED, str(tiny), architecture, str(tmp_path))
    *ours, plain = (line.split() for line in printed[-4:])
    assert [one[0] for one in (*ours, plain)] == ["True", "True", "False", "TRL"]
    expected = [float(number) for number in plain[1:]]
    assert expected[1] > 1, "there is a gradient to compare"
    for found in ours:
        assert [float(number) for number in found[1:]] == pytest.approx(expected, rel=1e-3, abs=1e-5)


JUDGED_COMPARED = """
import sys
from pathlib import Path
from types import SimpleNamespace
import torch
from datasets import Dataset
from kit import job, models, preferences, signals
from kit.events import Events
from kit.training import adapters, judged, lean, odds
from kit.training.report import Report
from trl import KTOConfig, KTOTrainer
from trl.experimental.orpo import ORPOTrainer
tiny, out = Path(sys.argv[1]), Path(sys.argv[2])
model, tokenizer = models.load_base(job.Model("base", tiny / "llama"), "float32")
work = job.Job("kto", {"lora_rank": 4, "lora_alpha": 8}, {}, {}, 1, ("cpu:0",), 1, None, None)
rows = preferences.read_judged(tiny / "judged-train.jsonl", "unpaired_preference", "train")[:6]
rows = preferences.tokenize_judged(rows, tokenizer, 128)
model = adapters.lora(model, work, {})
torch.manual_seed(1)
for name, weight in model.named_parameters():
    if "lora_B" in name: torch.nn.init.normal_(weight, std=0.1)
config = KTOConfig(output_dir=str(out), per_device_train_batch_size=6, use_cpu=True, bf16=False, max_length=None,
                   gradient_checkpointing=False, report_to="none", max_steps=1)
report = Report(Events(out), signals.Stop(), 1, judged.ALSO)
trainer = judged.JudgedTrainer(model=model, args=config, train_dataset=Dataset.from_list(rows), report=report,
                               processing_class=tokenizer)
lean.lighten(model)
def numbers(loss):
    model.zero_grad(); loss.backward()
    grads = torch.cat([one.grad.double().flatten() for one in model.parameters() if one.grad is not None])
    kept = [trainer._metrics["train"][name][-1] for name in judged.ALSO]
    return [loss.item(), grads.abs().sum().item(), grads.sum().item(), *kept]
inputs = trainer._prepare_inputs(trainer.data_collator(trainer.remember(rows)))
print(*numbers(trainer.compute_loss(model, dict(inputs))))
for module in model.modules(): module.__dict__.pop("forward", None) if isinstance(module, lean.lora.Linear) else None
trainer.precompute_ref_logps = False
plain = {name: value for name, value in inputs.items() if not name.startswith("ref_")}
print(*numbers(KTOTrainer._compute_loss(trainer, model, plain, False)))
chosen, rejected = -torch.rand(9) * 3, -torch.rand(9) * 3
bare = SimpleNamespace(beta=1.0, accelerator=SimpleNamespace(device="cpu"))
theirs = ORPOTrainer.odds_ratio_loss(bare, chosen, rejected)
print((odds.odds_loss(chosen, rejected) + theirs[0]).abs().max().item())
"""


def test_judged_answers_have_the_loss_that_trl_computes_and_so_have_odds(tiny: Path, tmp_path: Path) -> None:
    printed = lines_of(method_python("kto"), JUDGED_COMPARED, str(tiny), str(tmp_path))
    ours, plain, difference = ([float(number) for number in line.split()] for line in printed[-3:])
    assert plain[1] > 1, "there is a gradient to compare"
    assert ours == pytest.approx(plain, rel=1e-3, abs=1e-5)
    assert difference[0] < 1e-5
