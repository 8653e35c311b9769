"""Keys and tokens that open something: a model that learns them says them to whoever asks.

Source: how the issuers document their tokens (AWS, Anthropic, Azure, GitHub, GitLab, Google, Hugging Face, npm, OpenAI,
PyPI, SendGrid, Slack, Stripe), RFC 7468 for private keys, RFC 7519 for signed tokens, RFC 3986 for passwords in
addresses. Only shapes that are hardly anything else: a password in a sentence is not found.
Cost: runs of twenty characters and addresses with an at-sign, found by numpy; the patterns over the rows with such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from control_plane.preparation.blocks import Block, Hit, changed

CODE = "secrets"
MASK = "[SECRET]"

_BEGIN = r"(?<![A-Za-z0-9])"
_OF_ITS_OWN = r"(?<![A-Za-z0-9_-])"  # where a shape is long: none is looked for again within a run of its signs
_KINDS: tuple[tuple[str, tuple[str, ...], str], ...] = (  # what it is, one of which is in it, its shape
    (
        "private_key",
        ("PRIVATE KEY",),
        r"-----BEGIN (?:[A-Z]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:.{0,20000}?-----END [A-Z ]{0,40}-----|.{0,20000})",
    ),
    ("aws", ("AKIA", "ASIA"), _BEGIN + r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("github", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _BEGIN + r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("github", ("github_pat_",), _BEGIN + r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("gitlab", ("glpat-", "gldt-", "glrt-"), _BEGIN + r"gl(?:pat|dt|rt)-[A-Za-z0-9_-]{20,255}"),
    ("slack", ("xox",), _BEGIN + r"xox[abeoprs]-[A-Za-z0-9-]{15,255}"),
    ("slack", ("hooks.slack.com",), r"(?<=hooks\.slack\.com/services/)T[A-Za-z0-9/_-]{20,255}"),
    ("google", ("AIza",), _BEGIN + r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("model_provider", ("sk-",), _OF_ITS_OWN + r"sk-(?=[A-Za-z_-]{0,255}[0-9])[A-Za-z0-9_-]{20,255}"),
    ("stripe", ("_live_", "_test_"), _BEGIN + r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    ("hugging_face", ("hf_",), _BEGIN + r"hf_[A-Za-z0-9]{30,255}"),
    ("registry", ("npm_",), _BEGIN + r"npm_[A-Za-z0-9]{36}"),
    ("registry", ("pypi-AgEI",), _BEGIN + r"pypi-AgEI[A-Za-z0-9_-]{50,1000}"),
    ("sendgrid", ("SG.",), _BEGIN + r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("azure", ("AccountKey=",), r"(?<=AccountKey=)[A-Za-z0-9+/]{86}=="),
    (
        "signed_token",
        ("eyJ",),
        _OF_ITS_OWN + r"eyJ[A-Za-z0-9_-]{10,8000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,8000}",
    ),
    ("address_password", ("://",), r"(?<=://)[^\s:/@\"'<>]{1,64}:[^\s/@\"'<>]{3,64}(?=@[A-Za-z0-9])"),
)
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_PATTERNS = [(kind, re.compile(shape, re.DOTALL)) for kind, _, shape in _KINDS]
_SIGNS = [(sign, number) for number, (_, signs, _) in enumerate(_KINDS) for sign in signs]


class Secrets:
    """Finds and masks them."""

    code = CODE

    def find(self, block: Block) -> Iterator[Hit]:
        """Each row with a secret; `kinds` says of what."""
        with_address = (row for row in block.with_at_signs if b"://" in block.texts[row])
        for number, place, found in block.first_texts(sorted({*block.with_long_runs, *with_address}), kinds):
            yield Hit(number, place, {"kinds": found})

    def mend(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with each secret masked."""
        return changed(row, masked)


def kinds(text: str) -> list[str]:
    """What kinds of secrets stand in a text, each once."""
    return list(dict.fromkeys(kind for kind, pattern in _possible(text) if pattern.search(text)))


def may_have(text: str) -> bool:
    """Whether some sign of a secret is in a text, or in JSON."""
    return bool(_possible(text))


def masked(text: str) -> str:
    """The text with `[SECRET]` for each secret."""
    for _, pattern in _possible(text):
        text = pattern.sub(MASK, text)
    return text


def masked_as_written(text: str) -> str:
    """The same for a text that may be JSON, where the letter of an escape is not one of the secret behind it."""
    text = masked(text)
    if not may_have(text):
        return text
    blank = _ESCAPE.sub(lambda escape: "\0" * len(escape.group()), text)  # of the same length
    found = sorted(match.span() for _, pattern in _possible(blank) for match in pattern.finditer(blank))
    parts, done = list[str](), 0
    for begin, end in found:
        parts += [text[done:begin], MASK] if begin >= done else []
        done = max(done, end)
    return "".join([*parts, text[done:]])


def _possible(text: str) -> list[tuple[str, re.Pattern[str]]]:
    """The kinds of which some sign is in the text: to look for a word is much cheaper than for a pattern."""
    found = [number for sign, number in _SIGNS if sign in text]
    return [_PATTERNS[number] for number in dict.fromkeys(found)]
