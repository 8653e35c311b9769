"""The methods on tiny random models of two architectures, as scripts in their own environments."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import base, curve, losses, rows, wait_for_step

from method_environments import method_python
from method_support import METHODS, Outcome, lines_of
from patience import PATIENCE

pytestmark = pytest.mark.torch

TRAINING = {"steps": 40, "batch_size": 4, "max_length": 128, "learning_rate": 0.001, "schedule": "cosine",
            "precision": "float32", "gradient_checkpointing": False, "lora_rank": 4, "lora_alpha": 8,
            "held_out_rows": 16, "checkpoint_every": 0}  # fmt: skip


def training(tiny: Path, architecture: str, **changes: Any) -> dict[str, Any]:
    resume = changes.pop("resume", None)
    return {"method": "sft_demo", "parameters": {**TRAINING, **changes}, "seed": 7, "devices": ["cpu:0"], "threads": 1,
            "resume": resume, "inputs": {"base": base(tiny, architecture), "dataset": rows(tiny)}}  # fmt: skip


def test_the_same_job_gives_the_same_losses_also_when_interrupted(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any]
) -> None:
    whole = run("sft_demo", training(tiny, "llama"), str(method_python("sft_demo")))
    assert whole.status == 0, whole.stderr
    expected = losses(whole)
    assert len(expected) == 40
    held_out = curve(whole, "held_out_loss")
    assert list(held_out) == list(range(0, 41, 10))
    assert held_out[40] < held_out[0]
    assert losses(run("sft_demo", training(tiny, "llama", held_out_rows=0), str(method_python("sft_demo")))) == expected

    process, out = start("sft_demo", training(tiny, "llama"), str(method_python("sft_demo")), out="first")
    wait_for_step(process, out, 3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    first = Outcome(process.returncode, out, stderr)
    assert first.status == 143, stderr
    (checkpoint,) = first.of("checkpoint")
    folder = out / checkpoint["path"]
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".jinja", ".txt", ".md"}
    assert not (out / "adapter").exists()

    second = run("sft_demo", training(tiny, "llama", resume=str(folder)), str(method_python("sft_demo")))
    assert second.status == 0, second.stderr
    assert min(losses(second)) == checkpoint["step"] + 1
    assert {**losses(first), **losses(second)} == expected
    assert {**curve(first, "held_out_loss"), **curve(second, "held_out_loss")} == held_out


def test_a_checkpoint_with_a_pickle_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "optimizer.pt").write_bytes(b"x")
    outcome = run("sft_demo", training(tiny, "llama", resume=str(tmp_path / "3")), str(method_python("sft_demo")))
    assert outcome.refusal["code"] == "checkpoint_unreadable"


def test_another_architecture_is_trained_and_evaluated(tiny: Path, run: Callable[..., Outcome]) -> None:
    trained = run("sft_demo", training(tiny, "gpt_neox", steps=3), str(method_python("sft_demo")))
    assert trained.status == 0, trained.stderr
    card = json.loads((trained.out / "adapter" / "model.json").read_text())
    assert (card["form"], card["architecture"]) == ("adapter", "GPTNeoXForCausalLM")
    assert str(tiny) not in (trained.out / "adapter" / "adapter_config.json").read_text()

    inputs = {"baseline": base(tiny, "gpt_neox"), "dataset": rows(tiny), "candidate": {
        "kind": "model", "form": "adapter", "path": str(trained.out / "adapter"),
        "base": base(tiny, "gpt_neox")}}  # fmt: skip
    parameters = {"rows": 5, "batch_size": 2, "max_new_tokens": 4, "schema": {"type": "object"}, "checks": []}
    scored = run(
        "evaluate", {"method": "evaluate", "parameters": parameters, "inputs": inputs}, str(method_python("evaluate"))
    )
    assert scored.status == 0, scored.stderr
    content = json.loads((scored.out / "evaluation.json").read_text())
    assert content["candidates"] == ["baseline", "candidate"]
    assert content["primary_metric"] == "schema_valid"
    assert {name: len(row) for name, row in content["metrics"]["exact_match"].items()} == {
        "baseline": 5, "candidate": 5}  # fmt: skip
    assert scored.of("progress")[-1]["step"] == 10
    assert content["answer_limit"] == 4
    assert any(row["cut"] for row in content["rows"])  # a model that has learned nothing seldom ends within four tokens


COMPARE = """
import sys; sys.path.insert(0, "methods/sft_demo")
from pathlib import Path
import torch
from kit import datasets, models, job
from kit.events import Events
import train
from kit.training import adapters, flat, lean, words
from kit.signals import Stop
words.AT_ONCE = 7  # positions: several parts
tiny, architecture, out, beginning, short = sys.argv[1:]
tiny, out, flat.SHORT = Path(tiny), Path(out), int(short)
work = job.read(out / "job.json")
model, tokenizer = models.load_base(work.models["base"], "float32")
rows = datasets.read(work.datasets["dataset"].train, "prompt_completion", "train")[:8]
said = "Say what is open and its colour. "
if beginning == "none":
    said, tokenizer.chat_template = "", "{% for one in messages %}{{ one.content }}{% endfor %}"
for row in rows: row.prompt[0]["content"] = said + row.prompt[0]["content"]
examples = datasets.tokenize(rows, tokenizer, 128)
model = adapters.lora(model, work, {})
torch.manual_seed(1)
for name, weight in model.named_parameters():
    if "lora_B" in name: torch.nn.init.normal_(weight, std=0.1)
trainer = train.make_trainer(model, tokenizer, examples, work, out, Events(out), Stop())
inputs = next(iter(trainer.get_train_dataloader()))
print(trainer._is_flat, lean.shared_beginning(inputs["input_ids"], inputs["labels"]))
ours = trainer.compute_loss(model, dict(inputs))
for module in model.modules(): module.__dict__.pop("forward", None)  # as PEFT has it
total, count = trainer.measure(examples)["held_out_loss"]
each = []
for one in examples:
    ids, learned = torch.tensor([one["input_ids"]]), torch.tensor(one["completion_mask"][1:], dtype=torch.bool)
    words = model(ids).logits[0, :-1][learned]
    each.append(torch.nn.functional.cross_entropy(words, ids[0, 1:][learned], reduction="none"))
print(total / count, torch.cat(each).mean().item())
plain = model(**inputs).loss
for loss in (plain, ours):
    model.zero_grad(); loss.backward()
    grads = torch.cat([p.grad.double().flatten() for p in model.parameters() if p.grad is not None])
    print(loss.item(), grads.abs().sum().item(), grads.sum().item(), grads[::97].sum().item())
"""


@pytest.mark.parametrize("short", [256, 4], ids=["short rows", "rows too long to keep their scores"])
@pytest.mark.parametrize("beginning", ["shared", "none"])
@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_the_loss_and_its_gradient_are_those_of_the_whole_model(
    tiny: Path, tmp_path: Path, architecture: str, beginning: str, short: int
) -> None:
    (tmp_path / "job.json").write_text(json.dumps(training(tiny, architecture)))
    given = [str(tiny), architecture, str(tmp_path), beginning, str(short)]
    flat, held_out, plain, ours = (line.split() for line in lines_of(method_python("sft_demo"), COMPARE, *given)[-4:])
    assert flat[0] == "True"
    assert (int(flat[1]) >= 8) == (beginning == "shared")
    assert float(held_out[0]) == pytest.approx(float(held_out[1]), rel=1e-4), "over the answers, as what is learned"
    assert float(plain[1]) > 0
    assert [float(number) for number in ours] == pytest.approx([float(number) for number in plain], rel=1e-3)


SUITS = """
import torch, transformers as t
from kit.training import flat
size = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, pad_token_id=0, bos_token_id=1, eos_token_id=2)
torch.manual_seed(1)
for config in (t.LlamaConfig(**size), t.Qwen2Config(**size), t.Qwen3Config(**size),
               t.GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4),
               t.MistralConfig(**size, sliding_window=None), t.MistralConfig(**size, sliding_window=4096),
               t.Gemma2Config(**size), t.BloomConfig(vocab_size=64, hidden_size=32, n_layer=2, n_head=4),
               t.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2)):
    model = t.AutoModelForCausalLM.from_config(config)
    before = model.config._attn_implementation if hasattr(model.config, "_attn_implementation") else None
    print(config.model_type, flat.suits(model), model.config._attn_implementation == before)
"""


def test_what_asks_something_else_of_attention_is_computed_row_by_row() -> None:
    """Windows, capped scores, positions within attention, and models without it."""
    printed = [line.split() for line in lines_of(method_python("sft_demo"), SUITS)]
    assert [(kind, suited) for kind, suited, _ in printed] == [
        ("llama", "True"), ("qwen2", "True"), ("qwen3", "True"), ("gpt2", "True"), ("mistral", "True"),
        ("mistral", "False"), ("gemma2", "False"), ("bloom", "False"), ("mamba", "False")]  # fmt: skip
    assert {kept for _, _, kept in printed} == {"True"}


def test_import_of_a_folder_copies_what_is_safe(tiny: Path, tmp_path: Path, run: Callable[..., Outcome]) -> None:
    folder = shutil.copytree(tiny / "llama", tmp_path / "llama")
    (folder / "training_args.bin").write_bytes(b"x")
    (folder / "README.md").write_text("---\nlicense: MIT\n---\n")
    parameters = {"source": "folder", "reference": str(folder), "revision": "main", "max_bytes": 10_000_000}
    outcome = run(
        "import_base_model",
        {"method": "import_base_model", "parameters": parameters},
        str(method_python("import_base_model")),
    )
    assert outcome.status == 0, outcome.stderr
    assert [message["code"] for message in outcome.of("message")] == ["pickle_files_left_behind"]
    card = json.loads((outcome.out / "base" / "model.json").read_text())
    assert (card["licence"], card["has_chat_template"], len(card["source"]["sha256"])) == ("mit", True, 64)
    assert not (outcome.out / "base" / "training_args.bin").exists()


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_export_writes_a_gguf(tiny: Path, run: Callable[..., Outcome], architecture: str) -> None:
    job = {"method": "export_gguf", "parameters": {"precision": "q8_0"}, "inputs": {"model": base(tiny, architecture)}}
    outcome = run("export_gguf", job, str(method_python("export_gguf")))
    assert outcome.status == 0, outcome.stderr
    content = (outcome.out / "gguf" / "model.gguf").read_bytes()
    assert content[:4] == b"GGUF"
    assert b"tokenizer.chat_template" in content
    card = json.loads((outcome.out / "gguf" / "model.json").read_text())
    assert (card["form"], card["dtype"], card["has_chat_template"]) == ("gguf", "q8_0", True)
    assert not (outcome.out / "merged").exists()


def test_the_list_of_architectures_is_the_converters() -> None:
    program = "from conversion import TEXT_MODEL_MAP; print(*sorted(TEXT_MODEL_MAP), sep='\\n')"
    printed = lines_of(method_python("export_gguf"), program)
    assert printed == (METHODS / "kit" / "llama_cpp_architectures.txt").read_text(encoding="utf-8").splitlines()


def test_a_failed_export_says_what_the_converter_said(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    shutil.copytree(tiny / "llama", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps(config | {"architectures": ["JuggleForCausalLM"]}))
    model = {"kind": "model", "form": "base", "path": str(tmp_path / "model")}
    job = {"method": "export_gguf", "parameters": {"precision": "q8_0"}, "inputs": {"model": model}}
    refusal = run("export_gguf", job, str(method_python("export_gguf"))).refusal
    assert refusal["code"] == "conversion_failed"
    assert refusal["params"]["reason"] == "Model JuggleForCausalLM is not supported"
