"""K-quants on the tiny model. llama-cpp-python has no wheels, so these run only where somebody had it compiled."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from method_environments import has_environment, method_python
from method_support import Outcome

pytestmark = pytest.mark.torch

Q4_K_M = 15  # llama.cpp's LLAMA_FTYPE_MOSTLY_Q4_K_M


def job(model: Path, precision: str = "q4_k_m") -> dict[str, Any]:
    inputs = {"model": {"kind": "model", "form": "gguf", "path": str(model)}}
    return {"method": "quantize_gguf", "parameters": {"precision": precision}, "inputs": inputs, "threads": 2}


def quantizer() -> str:
    if not has_environment("quantize_gguf") and "TUNESMITH_TEST_COMPILE" not in os.environ:
        pytest.skip("compiling llama-cpp-python takes ten minutes: TUNESMITH_TEST_COMPILE=1 does it once")
    return str(method_python("quantize_gguf"))


def test_a_folder_without_one_gguf_is_refused(tmp_path: Path, run: Callable[..., Outcome]) -> None:
    assert run("quantize_gguf", job(tmp_path)).refusal["code"] == "model_without_gguf"
    (tmp_path / "a.gguf").touch()
    (tmp_path / "b.gguf").touch()
    assert run("quantize_gguf", job(tmp_path)).refusal["params"] == {"path": tmp_path.name}


def test_what_is_no_gguf_is_told_and_leaves_no_model(tmp_path: Path, run: Callable[..., Outcome]) -> None:
    (tmp_path / "model.gguf").write_bytes(b"no model")
    outcome = run("quantize_gguf", job(tmp_path), quantizer())
    assert outcome.refusal["code"] == "quantization_failed"
    assert not (outcome.out / "gguf" / "model.gguf").exists()


def test_a_packaged_model_becomes_smaller_and_keeps_its_card(tiny: Path, run: Callable[..., Outcome]) -> None:
    python = quantizer()
    inputs = {"model": {"kind": "model", "form": "base", "path": str(tiny / "llama")}}
    asked = {"method": "export_gguf", "parameters": {"precision": "f16"}, "inputs": inputs}
    packed = run("export_gguf", asked, str(method_python("export_gguf"))).out / "gguf"
    outcome = run("quantize_gguf", job(packed), python)
    assert outcome.status == 0, outcome.stderr
    before, after = ((folder / "model.gguf").read_bytes() for folder in (packed, outcome.out / "gguf"))
    assert after[:4] == b"GGUF"
    assert len(after) < len(before)
    assert file_type(after) == Q4_K_M
    card = json.loads((outcome.out / "gguf" / "model.json").read_text())
    assert card == json.loads((packed / "model.json").read_text()) | {
        "dtype": "q4_k_m",
        "source": {"kind": "method", "reference": "quantize_gguf", "sha256": None},
    }


def file_type(content: bytes) -> int:
    """The header's general.file_type: after its name a type (uint32) and the value, each 4 bytes."""
    name = b"general.file_type"
    place = content.index(name) + len(name) + 4
    return int.from_bytes(content[place : place + 4], "little")
