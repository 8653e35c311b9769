"""llama.cpp's converter, with two gaps closed: tokenizers that it does not know, and settings that were renamed.

The converter knows the tokenizers of published models by a hash of what they make of a sample text. A tokenizer that
somebody trained has the same rules with other words, and so another hash; its rules decide then. The settings are in
converter.py.
"""

import json
import sys
from pathlib import Path
from typing import Any

import convert_hf_to_gguf
import converter
from conversion.base import ModelBase, TextModel

REFUSED = 3
_by_fingerprint = TextModel.get_vocab_base_pre
_load_settings = ModelBase.load_hparams


def by_rules(folder: Path) -> str | None:
    """llama.cpp's name for the way a tokenizer splits text before it looks words up, or None if it has none."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    rule = tokenizer.get("pre_tokenizer") or {}
    rules = rule.get("pretokenizers", [rule])
    kinds = [one.get("type") for one in rules]
    if kinds and kinds[-1] == "ByteLevel" and rules[-1].get("use_regex", True):
        if kinds == ["ByteLevel"]:
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and rules[0].get("individual_digits"):
            return "smollm"
    return None


def recognise(model: Any, tokenizer: Any) -> str:
    """Stands in for the converter's own recognition, which it asks first."""
    try:
        return str(_by_fingerprint(model, tokenizer))
    except NotImplementedError:
        name = by_rules(model.dir_model)
        if name is None:
            sys.exit(REFUSED)
        return name


def settings(*arguments: Any, **options: Any) -> dict[str, Any]:
    """Stands in for the converter's own reading of ``config.json``."""
    return converter.complete(dict(_load_settings(*arguments, **options)))


if __name__ == "__main__":
    ModelBase.load_hparams = staticmethod(settings)
    TextModel.get_vocab_base_pre = recognise
    convert_hf_to_gguf.main()
