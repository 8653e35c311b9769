"""Training with MLX, here on a processor: the same course as the other methods, and results that they can use."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import base, curve, rows, wait_for_step

from method_environments import method_python
from method_support import Outcome, lines_of
from patience import PATIENCE

pytestmark = pytest.mark.torch

TRAINING = {"steps": 12, "batch_size": 4, "max_length": 128, "learning_rate": 0.005, "schedule": "cosine",
            "precision": "float32", "gradient_checkpointing": False, "lora_rank": 4, "lora_alpha": 8,
            "held_out_rows": 16, "checkpoint_every": 0}  # fmt: skip


def training(tiny: Path, architecture: str = "llama", **changes: Any) -> dict[str, Any]:
    resume = changes.pop("resume", None)
    return {"method": "mlx_demo", "parameters": {**TRAINING, **changes}, "seed": 7, "devices": ["cpu:0"], "threads": 1,
            "resume": resume, "inputs": {"base": base(tiny, architecture), "dataset": rows(tiny)}}  # fmt: skip


def adapter_of(outcome: Outcome) -> bytes:
    return (outcome.out / "adapter" / "adapter_model.safetensors").read_bytes()


def test_it_learns_as_sft_does_and_goes_on_where_it_was_interrupted(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any]
) -> None:
    python = str(method_python("mlx_demo"))
    whole = run("mlx_demo", training(tiny), python)
    assert whole.status == 0, whole.stderr
    held_out = curve(whole, "held_out_loss")
    assert list(held_out) == [0, 10, 12]
    assert held_out[12] < held_out[0] - 0.1

    process, out = start("mlx_demo", training(tiny), python, out="first")
    wait_for_step(process, out, 3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    first = Outcome(process.returncode, out, stderr)
    assert first.status == 143, stderr
    (checkpoint,) = first.of("checkpoint")
    folder = out / checkpoint["path"]
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    assert not (out / "adapter").exists()

    second = run("mlx_demo", training(tiny, resume=str(folder)), python)
    assert second.status == 0, second.stderr
    assert min(curve(second, "loss")) == checkpoint["step"] + 1
    for name in ("loss", "learning_rate", "held_out_loss", "grad_norm", "tokens"):
        assert {**curve(first, name), **curve(second, name)} == curve(whole, name)
    assert adapter_of(second) == adapter_of(whole)
    assert adapter_of(run("mlx_demo", training(tiny, seed=8) | {"seed": 8}, python)) != adapter_of(whole)

    torch = run("sft_demo", training(tiny, steps=1) | {"method": "sft_demo"}, str(method_python("sft_demo")))
    assert curve(torch, "held_out_loss")[0] == pytest.approx(held_out[0], rel=1e-5), "the same rows, tokens and answers"


SETTINGS = {"run_for": "steps", "epochs": 1, "steps": 8, "batch_size": 4, "max_length": 128, "learn_from": "completion",
            "learning_rate": 0.005, "schedule": "linear", "warmup_steps": 2, "accumulation": 2, "weight_decay": 0.01,
            "max_grad_norm": 1.0, "gradient_checkpointing": False, "held_out_rows": 16, "held_out_percent": 0,
            "held_out_every": 2, "early_stopping": 0, "keep_best": True, "checkpoint_every": 4}  # fmt: skip
DORA = {"precision": "float32", "addition": "dora", "lora_rank": 4, "lora_alpha": 8}


@pytest.mark.parametrize(("method", "more", "result"), [
    ("mlx", DORA, "adapter/adapter_model.safetensors"), ("mlx_full", {}, "model/model.safetensors"),
])  # fmt: skip
def test_every_setting_holds_and_a_checkpoint_of_it_leads_to_the_same_end(
    tiny: Path, run: Callable[..., Outcome], method: str, more: dict[str, Any], result: str
) -> None:
    job = training(tiny) | {"method": method, "parameters": SETTINGS | more}
    whole = run(method, job, str(method_python(method)))
    assert whole.status == 0, whole.stderr
    rates = curve(whole, "learning_rate")
    assert [rates[step] for step in range(1, 5)] == pytest.approx([0, 0.0025, 0.005, 0.005 * 5 / 6])
    held_out = curve(whole, "held_out_loss")
    assert list(held_out) == [0, 2, 4, 6, 8]
    assert held_out[8] < held_out[0] - 0.1
    assert curve(whole, "tokens")[1] > 4 * 30, "two batches a step"

    resume = str(whole.out / "checkpoints" / "4")
    second = run(method, job | {"resume": resume}, str(method_python(method)))
    assert second.status == 0, second.stderr
    for name in ("loss", "learning_rate", "held_out_loss", "grad_norm", "tokens"):
        told = curve(second, name)
        assert told == {step: value for step, value in curve(whole, name).items() if step > 4}
    assert (second.out / result).read_bytes() == (whole.out / result).read_bytes()
    assert not (second.out / "best").exists()


def test_a_whole_model_is_one_for_torch_too_and_the_best_state_is_kept(tiny: Path, run: Callable[..., Outcome]) -> None:
    high = {"learning_rate": 0.1, "schedule": "constant", "warmup_steps": 0, "early_stopping": 2, "steps": 40}
    job = training(tiny) | {"method": "mlx_full", "parameters": SETTINGS | high}
    learned = run("mlx_full", job, str(method_python("mlx_full")))
    assert learned.status == 0, learned.stderr
    assert [message["code"] for message in learned.of("message")] == ["stopped_early", "best_step_kept"]
    kept = learned.of("message")[1]["params"]
    held_out = curve(learned, "held_out_loss")
    assert held_out[kept["step"]] == min(value for step, value in held_out.items() if step) < held_out[max(held_out)]

    card = json.loads((learned.out / "model" / "model.json").read_text())
    assert (card["form"], card["has_chat_template"]) == ("merged", True)
    model = {"kind": "model", "form": "merged", "path": str(learned.out / "model")}
    job = training(tiny, steps=1) | {"method": "sft_demo", "inputs": {"base": model, "dataset": rows(tiny)}}
    torch = run("sft_demo", job, str(method_python("sft_demo")))
    assert curve(torch, "held_out_loss")[0] == pytest.approx(held_out[kept["step"]], rel=1e-4)


def test_a_checkpoint_of_something_else_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    python = str(method_python("mlx_demo"))
    kept, other = (run("mlx_demo", training(tiny, steps=2, checkpoint_every=2, lora_rank=rank), python).out
                   / "checkpoints" / "2" for rank in (4, 2))  # fmt: skip
    for name, content, reason in (
        ("weights.safetensors", (other / "weights.safetensors").read_bytes(), "other parameters"),
        ("optimizer.safetensors", b"torn", ""), ("state.json", b"{}", "step"), ("optimizer.pt", b"x", "pickle"),
    ):  # fmt: skip
        torn = tmp_path / name.partition(".")[2] / name.partition(".")[0]
        shutil.copytree(kept, torn)
        (torn / name).write_bytes(content)
        outcome = run("mlx_demo", training(tiny, resume=str(torn)), python)
        assert outcome.refusal["code"] == "checkpoint_unreadable"
        assert outcome.refusal["params"]["file"] == name
        assert reason in outcome.refusal["params"]["reason"]


def copied(tiny: Path, architecture: str, folder: Path, changed: dict[str, Any]) -> Path:
    """A tiny model with something else in its configuration; the folder."""
    shutil.copytree(tiny / architecture, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))
    return folder


def test_what_mlx_does_not_know_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    for changed, reason in (({"model_type": "nobodys"}, "nobodys"), ({"quantization": {"bits": 4}}, "quantized")):
        copied(tiny, "llama", tmp_path / reason, changed)
        refused = run("mlx_demo", training(tmp_path, reason) | {"inputs": {
            "base": base(tmp_path, reason), "dataset": rows(tiny)}}, str(method_python("mlx_demo")))  # fmt: skip
        assert refused.refusal["code"] == "model_not_for_mlx"
        assert reason in refused.refusal["params"]["reason"]


MADE = """
import sys
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
torch.manual_seed(0)
config = AutoConfig.from_pretrained(sys.argv[1])
config.intermediate_size = 256  # four times the width: nothing else is GPT-NeoX for mlx-lm
config.rope_parameters["rope_theta"] = 300.0  # no default of mlx-lm's
AutoModelForCausalLM.from_config(config).save_pretrained(sys.argv[2])
AutoTokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
"""
LEARNED = """
import json, sys
from pathlib import Path
import mlx.core as mx
from kit import job
from kit.apple import adapters, models
base, kind, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
mx.set_default_device(mx.cpu)
mx.random.seed(1)
loaded = models.load(job.Model("base", base), "float32")
adapted = models.adapt(loaded, kind, 4, 12)
for module in adapted.values():
    module.lora_b = 0.2 * mx.random.normal(module.lora_b.shape)
    if kind == "dora":
        module.m = module.m * (1 + 0.3 * mx.random.normal(module.m.shape))
adapters.save(adapted, out, {}, "mlx")
print(json.dumps(loaded.model(mx.array([[5, 9, 100, 7, 30]]))[0].tolist()))
"""
USED = """
import json, sys
from pathlib import Path
import torch
from kit import job, models
base, out = job.Model("base", Path(sys.argv[1])), Path(sys.argv[2])
model, _ = models.load_base(base, "float32")
ids = torch.tensor([[5, 9, 100, 7, 30]])
adapted = models.add_adapter(model, job.Model("adapter", out, base))
with torch.no_grad():
    print(json.dumps(adapted(ids).logits[0].tolist()))
    print(json.dumps(adapted.merge_and_unload()(ids).logits[0].tolist()))
"""


PREFERRED = """
import json, sys
from pathlib import Path
import mlx.core as mx
from kit import job
from kit.apple import adapters, models, preferring
base, out = Path(sys.argv[1]), Path(sys.argv[2])
mx.set_default_device(mx.cpu)
mx.random.seed(1)
loaded = models.load(job.Model("base", base), "float32")
adapted = models.adapt(loaded, "lora", 4, 12)
pairs = [{"prompt_ids": [5, 9], "chosen_ids": [7, 30, 31], "rejected_ids": [8]},
         {"prompt_ids": [5, 9, 100], "chosen_ids": [12], "rejected_ids": [40, 41]}]
class Stop:
    def leave_if_requested(self): pass
preferring.remember(loaded.model, pairs, 2, 0, Stop())
for module in adapted.values():
    module.lora_b = 0.2 * mx.random.normal(module.lora_b.shape)
adapters.save(adapted, out, {}, "mlx_dpo")
ids, labels, reference, _ = next(preferring.in_turn(pairs, 2, 0, 0))
loss, tokens = preferring.loss(0.5)(loaded.model, ids, labels, reference)
print(json.dumps([preferring.margins(loaded.model, ids, labels, reference, 0.5).tolist(), [float(loss), int(tokens)]]))
"""
AS_TORCH_HAS_IT = """
import json, sys
from pathlib import Path
import torch
from kit import job, models
base, out = job.Model("base", Path(sys.argv[1])), Path(sys.argv[2])
model, _ = models.load_base(base, "float32")
adapted = models.add_adapter(model, job.Model("adapter", out, base))
def likely(prompt, answer):
    ids = torch.tensor([prompt + answer])
    logs = adapted(ids).logits[0, :-1].log_softmax(-1)
    return logs.gather(1, ids[0, 1:, None])[len(prompt) - 1:].sum()
pairs = [([5, 9], [7, 30, 31], [8]), ([5, 9, 100], [12], [40, 41])]
with torch.no_grad():
    now = [[likely(prompt, one) for one in answers] for prompt, *answers in pairs]
    with adapted.disable_adapter():
        before = [[likely(prompt, one) for one in answers] for prompt, *answers in pairs]
margins = torch.stack([0.5 * ((a - c) - (b - d)) for (a, b), (c, d) in zip(now, before)])
loss = -torch.nn.functional.logsigmoid(margins).mean()
print(json.dumps([margins.tolist(), [float(loss), 7]]))
"""


def test_what_is_preferred_counts_as_in_torch(tiny: Path, tmp_path: Path) -> None:
    """Two pairs with answers of different lengths: their margins, the loss, and how many tokens it is of."""
    given = (str(tiny / "llama"), str(tmp_path / "adapter"))
    (mlx,) = told(method_python("mlx_dpo"), PREFERRED, *given)
    (torch,) = told(method_python("evaluate"), AS_TORCH_HAS_IT, *given)
    assert torch == pytest.approx(mlx, abs=5e-4)
    assert max(map(abs, mlx[:2])) > 0.01


def told(python: Path, program: str, *arguments: str) -> list[list[float]]:
    """The numbers that a program prints, a line each."""
    return [[number for row in json.loads(line) for number in row] for line in lines_of(python, program, *arguments)]


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_what_is_learned_answers_the_same_in_torch(tiny: Path, tmp_path: Path, architecture: str, kind: str) -> None:
    folder, out = str(tmp_path / "base"), str(tmp_path / "adapter")
    told(method_python("evaluate"), MADE, str(tiny / architecture), folder)
    (mlx,) = told(method_python("mlx_demo"), LEARNED, folder, kind, out)
    adapted, merged = told(method_python("evaluate"), USED, folder, out)
    # they round in their own order: of six seeds up to 1.6e-4 apart; an adapter one percent too strong is 3e-3 away
    assert adapted == pytest.approx(mlx, abs=5e-4)
    assert merged == pytest.approx(mlx, abs=5e-4)
    assert max(abs(number) for number in mlx) > 0.1
