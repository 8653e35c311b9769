"""What can be said of packaging a model for llama.cpp before anybody trains it, by its files alone.

llama_cpp_architectures.txt lists what the converter of export_gguf knows; a test holds it against that converter. What
only the conversion itself can find, such as a tokenizer that nobody published, it still has to say.
"""

import json
from pathlib import Path
from typing import Any

ARCHITECTURE, VOCABULARY = "architecture_not_packaged", "vocabulary_not_packaged"
SENTENCEPIECE = "tokenizer.model"
# what the converter reads from the sentencepiece file and from no other
_BY_SENTENCEPIECE = frozenset({"BaiChuanForCausalLM", "BaichuanForCausalLM", "Gemma2ForCausalLM", "GemmaForCausalLM",
                               "MiniCPMForCausalLM", "OrionForCausalLM", "Phi3ForCausalLM"})  # fmt: skip


def problem(folder: Path, config: dict[str, Any]) -> str:
    """Why the complete model in a folder, with this ``config.json``, could not be packaged; "" if nothing is known."""
    architecture = architecture_of(config)
    if architecture not in known():
        return ARCHITECTURE
    if architecture in _BY_SENTENCEPIECE and not (folder / SENTENCEPIECE).is_file():
        # Phi-4 has Phi-3's architecture and GPT-2's tokenizer
        return "" if architecture == "Phi3ForCausalLM" and _tokenizer_class(folder) == "GPT2Tokenizer" else VOCABULARY
    return ""


def known() -> frozenset[str]:
    """The architectures that the converter knows."""
    return frozenset(Path(__file__).with_name("llama_cpp_architectures.txt").read_text(encoding="utf-8").split())


def architecture_of(config: dict[str, Any]) -> str:
    """The architecture that the converter goes by: that of the text part, where a model has several."""
    text = config.get("text_config")
    named = (text.get("architectures") if isinstance(text, dict) else None) or config.get("architectures") or [""]
    return str(named[0]) if isinstance(named, list) else ""


def _tokenizer_class(folder: Path) -> str:
    try:
        told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(told.get("tokenizer_class")) if isinstance(told, dict) else ""
