"""What is known of packaging a model before it is trained, and what the converter says when it fails."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from kit import packaging

from method_support import METHODS

_SPEC = importlib.util.spec_from_file_location("converter", METHODS / "export_gguf/converter.py")
assert _SPEC and _SPEC.loader
converter = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(converter)


@pytest.mark.parametrize(
    ("config", "files", "problem"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, {}, ""),
        ({"architectures": ["GPT2LMHeadModel"]}, {}, ""),
        ({"architectures": ["OPTForCausalLM"]}, {}, "architecture_not_packaged"),
        ({}, {}, "architecture_not_packaged"),
        ({"architectures": "LlamaForCausalLM"}, {}, "architecture_not_packaged"),
        ({"architectures": ["X"], "text_config": {"architectures": ["LlamaForCausalLM"]}}, {}, ""),
        ({"architectures": ["Phi3ForCausalLM"]}, {}, "vocabulary_not_packaged"),
        ({"architectures": ["Phi3ForCausalLM"]}, {"tokenizer.model": ""}, ""),
        ({"architectures": ["Phi3ForCausalLM"]}, {"tokenizer_config.json": '{"tokenizer_class": "GPT2Tokenizer"}'}, ""),
        ({"architectures": ["Phi3ForCausalLM"]}, {"tokenizer_config.json": "["}, "vocabulary_not_packaged"),
    ],
)
def test_what_cannot_be_packaged_is_known_by_its_files(
    tmp_path: Path, config: dict[str, Any], files: dict[str, str], problem: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert packaging.problem(tmp_path, config) == problem


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("INFO:hf-to-gguf:Loading\nERROR:hf-to-gguf:Model OPTForCausalLM is not supported\n",
         "Model OPTForCausalLM is not supported"),
        ("Traceback (most recent call last):\n  File \"base.py\", line 1, in f\n    raise\n    ^^^^^\n"
         "ValueError: Error: Missing /data/attempts/7/out/merged/tokenizer.model\n\n",
         "ValueError: Error: Missing tokenizer.model"),
        ("KeyError: 'n_ctx'\nWriting: 10%|#    | 1/9 [00:00<00:01, 5.0it/s]\nWARNING:x:late\n", "KeyError: 'n_ctx'"),
        ("INFO:hf-to-gguf:Loading\n", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_converters_last_meaningful_line_is_the_reason(said: str, reason: str) -> None:
    assert converter.reason(said.splitlines(keepends=True), Path("/data/attempts/7/out/merged")) == reason


def test_settings_that_were_renamed_stand_under_their_old_names_too() -> None:
    assert converter.complete({"n_positions": 256})["n_ctx"] == 256
    assert converter.complete({"n_positions": 256, "n_ctx": 128})["n_ctx"] == 128
    assert converter.complete({"rope_parameters": {"partial_rotary_factor": 0.25}})["rotary_pct"] == 0.25
    assert converter.complete({"rope_parameters": None}) == {"rope_parameters": None}


def test_a_merged_model_keeps_its_bases_sentencepiece_file(tmp_path: Path) -> None:
    base, merged = tmp_path / "base", tmp_path / "merged"
    base.mkdir()
    merged.mkdir()
    converter.carry_vocabulary(base, merged)
    assert not list(merged.iterdir())
    (base / "tokenizer.model").write_text("pieces")
    converter.carry_vocabulary(base, merged)
    assert (merged / "tokenizer.model").read_text() == "pieces"


def test_the_list_is_sorted_and_has_each_architecture_once() -> None:
    lines = (METHODS / "kit" / "llama_cpp_architectures.txt").read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    assert json.dumps(lines).isascii()
