"""What llama.cpp's converter needs from a model beyond what transformers writes today, and what it said at the end."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kit.packaging import SENTENCEPIECE

_LONGEST_REASON = 300  # characters
_LEVEL = re.compile(r"^(?:ERROR|CRITICAL):[\w.-]+:\s*")
_CHATTER = re.compile(r"^(?:DEBUG|INFO|WARNING):|%\||it/s\]|^\s*\^+\s*$")


def complete(settings: dict[str, Any]) -> dict[str, Any]:
    """A model's settings with those that transformers 5 has renamed under their old names as well.

    GPT-NeoX's ``rotary_pct`` and GPT-2's ``n_ctx``.
    """
    share = (settings.get("rope_parameters") or {}).get("partial_rotary_factor")
    renamed = {"rotary_pct": share, "n_ctx": settings.get("n_positions")}
    return {**{name: value for name, value in renamed.items() if value is not None}, **settings}


def carry_vocabulary(base: Path, merged: Path) -> None:
    """Take along the sentencepiece file of the base model's tokenizer, which transformers 5 does not write."""
    if (base / SENTENCEPIECE).is_file() and not (merged / SENTENCEPIECE).exists():
        shutil.copyfile(base / SENTENCEPIECE, merged / SENTENCEPIECE)


def reason(lines: Sequence[str], folder: Path) -> str:
    """The last meaningful line of what the converter wrote to stderr, without this machine's path of ``folder``."""
    said = [line.strip() for line in lines if line.strip() and not _CHATTER.search(line)]
    last = _LEVEL.sub("", said[-1]) if said else ""
    return last.replace(f"{folder}/", "").replace(str(folder), folder.name)[:_LONGEST_REASON]
