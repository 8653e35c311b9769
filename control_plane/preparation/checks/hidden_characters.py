"""Characters that nobody sees and every tokenizer does: zero-width ones, overrides of direction, control characters.

Source: Unicode 16, general categories Cc and Cf, and the tag characters; UTR 36 and "Trojan Source" (Boucher and
Anderson 2021) on what overrides of direction do. Joiners are kept where they join (emoji, Indic and Arabic letters),
marks of direction where something is written from right to left, tags in flags.
Cost: a look at the bytes that can begin one; a pattern over rows that have such a byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from control_plane.domain.documents import well_formed
from control_plane.preparation.blocks import Block, Hit, changed

CODE = "hidden_characters"

_PLAIN = "A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\\s"  # letters that nothing joins
_JOINERS = "[\u200c\u200d]"
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_ALWAYS = _CONTROLS + "\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
_HIDDEN = re.compile(
    f"[{_ALWAYS}]"
    f"|(?:(?<=[{_PLAIN}])|^){_JOINERS}+|(?<!{_JOINERS}){_JOINERS}+(?=[{_PLAIN}]|$)"  # a whole run at once
    "|(?<![\U000e0020-\U000e007e\U0001f3f4])[\U000e0000-\U000e007f]+"
)
_DIRECTION = re.compile("[\u200e\u200f\u061c]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


class HiddenCharacters:
    """Finds and removes them; lone surrogates become question marks."""

    code = CODE

    def find(self, block: Block) -> Iterator[Hit]:
        """Each row with a hidden character; `characters` says which."""
        for number, place, found in block.first_texts(block.with_hidden, hidden):
            yield Hit(number, place, {"characters": ", ".join(found)})

    def mend(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row without them."""
        return changed(row, without)


def hidden(text: str) -> list[str]:
    """The hidden characters of a text as `U+200B`, each once, in the order in which they stand; at most ten."""
    found = [one for match in _HIDDEN.finditer(text) for one in match.group()]
    if not _RIGHT_TO_LEFT.search(text):
        found += _DIRECTION.findall(text)
    return [f"U+{ord(one):04X}" for one in dict.fromkeys(found)][:10]


def without(text: str) -> str:
    """The text without its hidden characters."""
    cleared = well_formed(text)
    while (shorter := _HIDDEN.sub("", cleared)) != cleared:  # what was joined before may join nothing now
        cleared = shorter
    return cleared if _RIGHT_TO_LEFT.search(cleared) else _DIRECTION.sub("", cleared)
