"""The templates that developers change work as they stand: they learn, and go on elsewhere with the same numbers."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_support import base, curve, losses, wait_for_step

from method_environments import method_python
from method_support import Outcome
from patience import PATIENCE

pytestmark = pytest.mark.torch

SHARED = {"steps": 40, "batch_size": 4, "max_length": 128, "learning_rate": 0.003, "precision": "float32",
          "lora_rank": 4, "lora_alpha": 8, "held_out_rows": 8, "checkpoint_every": 0}  # fmt: skip
OWN = {"custom01": {"max_grad_norm": 1.0}, "custom02": {}}


def job(tiny: Path, method: str, resume: str | None = None, **changes: Any) -> dict[str, Any]:
    rows = {part: str(tiny / f"{part}.jsonl") for part in ("train", "test")}
    inputs = {"base": base(tiny, "llama"), "dataset": {"kind": "dataset", "format": "prompt_completion", **rows}}
    parameters = {**SHARED, **OWN[method], **changes}
    return {"method": method, "parameters": parameters, "seed": 7, "devices": ["cpu:0"], "threads": 1,
            "resume": resume, "inputs": inputs}  # fmt: skip


@pytest.mark.parametrize("method", sorted(OWN))
def test_it_learns_and_an_interruption_changes_no_number(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any], method: str
) -> None:
    python = str(method_python(method))
    whole = run(method, job(tiny, method), python)
    assert whole.status == 0, whole.stderr
    expected = losses(whole)
    held_out = curve(whole, "held_out_loss")
    assert list(expected) == list(range(1, 41)) and expected[40] < expected[1]
    assert held_out[40] < held_out[min(held_out)]
    assert (whole.out / "adapter" / "adapter_model.safetensors").is_file()

    process, out = start(method, job(tiny, method), python, out="first")
    wait_for_step(process, out, 3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    first = Outcome(process.returncode, out, stderr)
    assert first.status == 143, stderr
    (checkpoint,) = first.of("checkpoint")
    folder = out / checkpoint["path"]
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".jinja", ".txt", ".md"}
    second = run(method, job(tiny, method, str(folder)), python)
    assert second.status == 0, second.stderr
    assert {**losses(first), **losses(second)} == expected
    weights = [one.out / "adapter" / "adapter_model.safetensors" for one in (whole, second)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_damaged_checkpoint_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "state.json").write_text("{}")
    outcome = run("custom01", job(tiny, "custom01", str(tmp_path / "3")), str(method_python("custom01")))
    assert outcome.refusal["code"] == "checkpoint_unreadable"
