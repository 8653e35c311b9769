"""Taking secrets out of texts that others wrote: a driver's complaint, a server's answer, a traceback."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"
_SHORTEST = 4  # characters: what is shorter stands in many a word, and hides nothing


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, as they are or as they stand in an address, a header or a Python text."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def masked_in(value: Any, secrets: Sequence[str]) -> Any:
    """The same in each text of a value that came through JSON."""
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, list):
        return [masked_in(one, secrets) for one in value]
    if isinstance(value, dict):
        return {key: masked_in(one, secrets) for key, one in value.items()}
    return value


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
