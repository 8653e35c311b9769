"""sft, peft and full on the tiny model: the same numbers when they are interrupted and go on elsewhere."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import base, curve, losses, wait_for_step

from method_environments import method_python
from method_support import METHODS, Outcome, lines_of
from patience import PATIENCE

pytestmark = pytest.mark.torch


def job(tiny: Path, method: str, resume: Path | None = None, **changes: Any) -> dict[str, Any]:
    """The method's example with other parameters, on the tiny model."""
    given = json.loads((METHODS / method / "example.json").read_text())
    data = {"kind": "dataset", "format": "prompt_completion", "train": str(tiny / "train.jsonl"),
            "test": str(tiny / "test.jsonl")}  # fmt: skip
    return {**given, "parameters": {**given["parameters"], **changes}, "seed": 7, "threads": 1,
            "inputs": {"base": base(tiny, "llama"), "dataset": data},
            "resume": None if resume is None else str(resume)}  # fmt: skip


def weights(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


RICH = {"run_for": "steps", "steps": 30, "warmup_steps": 5, "accumulation": 2, "held_out_every": 7,
        "learning_rate": 0.05}  # fmt: skip
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("sft", "adapter", {"packing": True}),
    ("peft", "adapter", {"adapter": "dora", "lora_dropout": 0.1}),
    ("peft", "adapter", {"adapter": "p_tuning"}),
    ("full", "model", {"precision": "mixed"}),
]


@pytest.mark.parametrize(("method", "result", "changes"), KINDS)
def test_interrupted_and_gone_on_elsewhere_it_ends_the_same(
    tiny: Path, tmp_path: Path, run: Callable[..., Outcome], start: Callable[..., Any], method: str, result: str,
    changes: dict[str, Any],
) -> None:  # fmt: skip
    python = str(method_python(method))
    whole = run(method, job(tiny, method, **RICH, **changes), python)
    assert whole.status == 0, whole.stderr
    assert len(losses(whole)) == 30
    held_out = curve(whole, "held_out_loss")
    assert list(held_out) == [*range(0, 30, 7), 30]
    lowest = min(list(held_out)[1:], key=held_out.__getitem__)
    kept = [one["params"]["step"] for one in whole.of("message") if one["code"] == "best_step_kept"]
    assert kept == ([] if lowest == 30 else [lowest])

    process, out = start(method, job(tiny, method, **RICH, **changes), python, out="first")
    wait_for_step(process, out, 8)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    first = Outcome(process.returncode, out, stderr)
    assert first.status == 143, stderr
    (checkpoint,) = first.of("checkpoint")
    shutil.move(out / checkpoint["path"], tmp_path / "travelled")
    shutil.rmtree(out)
    second = run(method, job(tiny, method, tmp_path / "travelled", **RICH, **changes), python)
    assert second.status == 0, second.stderr
    assert min(losses(second)) == checkpoint["step"] + 1
    asked = [one["params"] for one in whole.of("message") if one["code"] == "sample_answer"]
    assert [(one["step"], one["number"]) for one in asked] == [(step, 1) for step in held_out]
    assert len({one["answer"] for one in asked}) > 1 and {one["question"] for one in asked} == {
        "The red door is open."}  # fmt: skip
    assert losses(second) == {step: loss for step, loss in losses(whole).items() if step > checkpoint["step"]}
    assert weights(second.out / result) == weights(whole.out / result) != {}
    told = [one["params"] for one in whole.of("message")]
    after = [one for one in told if "number" not in one or one["step"] > checkpoint["step"]]
    assert [one["params"] for one in second.of("message")] == after


def test_it_ends_early_where_it_no_longer_gets_better(tiny: Path, run: Callable[..., Outcome]) -> None:
    changes = {"run_for": "epochs", "epochs": 40, "held_out_every": 1, "early_stopping": 2, "learning_rate": 0.05}
    ended = run("sft", job(tiny, "sft", **changes), str(method_python("sft")))
    assert ended.status == 0, ended.stderr
    held_out = curve(ended, "held_out_loss")
    best = min(list(held_out)[1:], key=held_out.__getitem__)
    assert max(held_out) == best + 2 < 40 * 12
    said = [(one["code"], one["params"]["step"]) for one in ended.of("message")]
    assert [one for one in said if one[0] != "sample_answer"] == [
        ("stopped_early", best + 2), ("best_step_kept", best)]  # fmt: skip
    assert not (ended.out / "best").exists()

    without = job(tiny, "sft", **changes)
    del without["inputs"]["dataset"]["test"]
    assert run("sft", without, str(method_python("sft"))).refusal["code"] == "early_stopping_blind"
    without["parameters"] |= {"held_out_percent": 20, "epochs": 0.5}
    split = run("sft", without, str(method_python("sft")))
    assert split.status == 0, split.stderr
    assert list(losses(split)) == list(range(1, 6))  # 38 of 48 rows, four a step, half a round
    assert curve(split, "held_out_loss")


@pytest.mark.parametrize(("format_", "rows"), [
    ("text", [{"text": f"The door number {n} is open and the lamp is red."} for n in range(12)]),
    ("chat", [{"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "red"},
                            {"role": "user", "content": "And now?"}, {"role": "assistant", "content": "green"}]}
              for n in range(12)]),
])  # fmt: skip
def test_texts_and_conversations_are_learned(
    tiny: Path, tmp_path: Path, run: Callable[..., Outcome], format_: str, rows: list[dict[str, Any]]
) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = job(tiny, "sft", run_for="epochs", epochs=10, learning_rate=0.01)
    given["inputs"]["dataset"] = {"kind": "dataset", "format": format_, "train": str(tmp_path / "rows.jsonl"),
                                  "test": str(tmp_path / "rows.jsonl")}  # fmt: skip
    done = run("sft", given, str(method_python("sft")))
    assert done.status == 0, done.stderr
    held_out = curve(done, "held_out_loss")
    assert held_out[30] < held_out[0] - 0.5


PACKED = """
import sys
from pathlib import Path
import torch
from kit import job, models
from kit.events import Events
from kit.signals import Stop
from kit.training import lessons, packed, supervised
from kit.training.report import Report
work, out = job.read(Path(sys.argv[1])), Path(sys.argv[1]).parent
model, tokenizer = models.load_base(work.models["base"], "float32")
examples, _ = lessons.of(work, tokenizer)
rows = packed.pack(examples, 128)
trainer = supervised.make_trainer(model, tokenizer, rows, work, out, Report(Events(out), Stop(), 1))
apart = [trainer.measure([one])["held_out_loss"] for one in examples]
inputs = trainer._prepare_inputs(trainer.data_collator(rows))
count = int((inputs["labels"] != -100).sum())
print(len(examples), len(rows), count, sum(one[1] for one in apart))
print(sum(one[0] for one in apart), float(trainer.compute_loss(model, inputs, num_items_in_batch=1)))
"""


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_packed_examples_see_only_themselves(tiny: Path, tmp_path: Path, architecture: str) -> None:
    given = job(tiny, "sft", packing=True, learn_from="whole")
    given["inputs"]["base"] = base(tiny, architecture)
    (tmp_path / "job.json").write_text(json.dumps(given))
    printed = lines_of(method_python("sft"), PACKED, str(tmp_path / "job.json"))
    counts, sums = (line.split() for line in printed[-2:])
    assert int(counts[1]) < int(counts[0]) / 2 and counts[2] == counts[3]
    assert float(sums[0]) == pytest.approx(float(sums[1]), rel=1e-5)


@pytest.mark.parametrize("kind", ["dora", "ia3"])
def test_what_can_be_merged_is_packaged(tiny: Path, run: Callable[..., Outcome], kind: str) -> None:
    trained = run("peft", job(tiny, "peft", adapter=kind, steps=3), str(method_python("peft")))
    assert trained.status == 0, trained.stderr
    assert json.loads((trained.out / "adapter" / "model.json").read_text())["packaging_problem"] == ""
    model = {"kind": "model", "form": "adapter", "path": str(trained.out / "adapter"), "base": base(tiny, "llama")}
    package(run, model)


def package(run: Callable[..., Outcome], model: dict[str, Any]) -> None:
    packing = {"method": "export_gguf", "parameters": {"precision": "f16"}, "inputs": {"model": model}}
    packaged = run("export_gguf", packing, str(method_python("export_gguf")))
    assert packaged.status == 0, packaged.stderr
    assert (packaged.out / "gguf" / "model.gguf").read_bytes()[:4] == b"GGUF"


def test_all_weights_learn_and_come_out_as_a_model_that_is_packaged(tiny: Path, run: Callable[..., Outcome]) -> None:
    trained = run("full", job(tiny, "full", steps=20, learning_rate=0.002), str(method_python("full")))
    assert trained.status == 0, trained.stderr
    held_out = curve(trained, "held_out_loss")
    assert held_out[20] < held_out[0] - 1
    card = json.loads((trained.out / "model" / "model.json").read_text())
    assert (card["form"], card["dtype"], card["packaging_problem"]) == ("merged", "float32", "")
    package(run, {"kind": "model", "form": "merged", "path": str(trained.out / "model")})


def test_an_optimizer_of_another_device_is_refused(tiny: Path, run: Callable[..., Outcome]) -> None:
    refused = run("full", job(tiny, "full", optimizer="paged_adamw_8bit"), str(method_python("full"))).refusal
    assert (refused["code"], refused["params"]) == ("optimizer_needs_cuda", {"optimizer": "paged_adamw_8bit"})


@pytest.mark.parametrize("kind", ["prefix", "prompt", "p_tuning"])
def test_a_learned_prompt_is_evaluated_and_says_that_it_cannot_be_packaged(
    tiny: Path, run: Callable[..., Outcome], kind: str
) -> None:
    changes = {"adapter": kind, "prompt_text": "Say what is open.", "steps": 40, "learning_rate": 0.05}
    trained = run("peft", job(tiny, "peft", **changes), str(method_python("peft")))
    assert trained.status == 0, trained.stderr
    held_out = curve(trained, "held_out_loss")
    assert min(held_out.values()) < held_out[0]
    assert json.loads((trained.out / "adapter" / "model.json").read_text())["packaging_problem"] == (
        "adapter_not_mergeable"
    )
    assert str(tiny) not in (trained.out / "adapter" / "adapter_config.json").read_text()
    model = {"kind": "model", "form": "adapter", "path": str(trained.out / "adapter"), "base": base(tiny, "llama")}
    inputs = {"candidate": model, "baseline": base(tiny, "llama"), "dataset": job(tiny, "peft")["inputs"]["dataset"]}
    asked = json.loads((METHODS / "evaluate" / "example.json").read_text()) | {"inputs": inputs}
    asked["parameters"] |= {"rows": 4, "max_new_tokens": 6, "batch_size": 3}
    scored = run("evaluate", asked, str(method_python("evaluate")))
    assert scored.status == 0, scored.stderr
    answers = [row["answers"] for row in json.loads((scored.out / "evaluation.json").read_text())["rows"]]
    assert any(one["candidate"] != one["baseline"] for one in answers)


@pytest.mark.parametrize(("changes", "code"), [
    ({"adapter": "qlora"}, "qlora_needs_cuda"),
    ({"adapter": "prompt", "packing": True}, "packing_not_with_prompts"),
    ({"adapter": "prefix", "gradient_checkpointing": True}, "prefix_keeps_memory"),
])  # fmt: skip
def test_what_a_kind_of_adapter_cannot_do_is_refused(
    tiny: Path, run: Callable[..., Outcome], changes: dict[str, Any], code: str
) -> None:
    assert run("peft", job(tiny, "peft", **changes), str(method_python("peft"))).refusal["code"] == code
