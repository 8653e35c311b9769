"""Hints at personal data: mail addresses, phone numbers, IBANs, card numbers. Names and addresses are not found.

Source: RFC 5322 as it is used, E.164 and the national ways to write it (Germany, France, North America, China),
ISO 13616 with its check digits (ISO 7064, mod 97-10) and the registry's lengths, ISO/IEC 7812 with Luhn's digit.
Addresses of domains that stand for nobody (RFC 2606) are none.
Cost: at-signs and digits close together, found by numpy; the patterns over the rows that have such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from control_plane.preparation.blocks import Block, Hit, changed

CODE = "personal_data"

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_PHONE = re.compile(
    r"(?<![A-Za-z0-9_.+/-])(?<![0-9] )(?:"
    r"(?:\+|00)[1-9](?:[ ()/.-]{0,2}\d){6,14}"
    r"|\(?0[1-9]\d{1,4}\)?[ /-]{1,2}\d{2,15}(?:[ -]\d{2,12}){0,4}"
    r"|0[1-9](?:[ .]\d\d){4}"
    r"|(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}"
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
    r")(?![A-Za-z0-9_])(?![.,-]\d)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}")
_CARD = re.compile(r"(?<![A-Za-z0-9_.+-])[2-6]\d{3}(?:[ -]?\d){8,14}\d(?![A-Za-z0-9_])(?![.-]\d)")
_DIGIT = re.compile(r"\d")
_NOBODY = re.compile(r"(?:@|\.)(?:example\.(?:com|net|org)|example|invalid|test|localhost)$|^git@", re.IGNORECASE)
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip


class PersonalData:
    """Finds and masks them."""

    code = CODE

    def find(self, block: Block) -> Iterator[Hit]:
        """Each row with such a hint; `kinds` says which."""
        for number, place, found in block.first_texts(sorted({*block.with_at_signs, *block.with_digits}), kinds):
            yield Hit(number, place, {"kinds": found})

    def mend(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with each of them masked."""
        return changed(row, masked)


def kinds(text: str) -> list[str]:
    """What kinds of personal data a text seems to have, each once."""
    found: dict[str, None] = {}
    _masked(text, found)
    return list(found)


def masked(text: str) -> str:
    """The text with `[MAIL]`, `[PHONE]`, `[IBAN]` or `[CARD]` for each hint."""
    return _masked(text, {})


def _masked(text: str, found: dict[str, None]) -> str:
    has_digits = bool(_DIGIT.search(text))
    for kind, pattern, part_of in _SHAPES:
        if not ("@" in text if kind == "mail" else has_digits):
            continue
        text = pattern.sub(partial(_mask, kind, part_of, found), text)
    return text


def _mask(kind: str, part_of: Callable[[str], int], found: dict[str, None], match: re.Match[str]) -> str:
    """What stands for a match; it itself, where it only looks like one. `part_of` tells how much of it is one."""
    given = match.group()
    length = part_of(given)
    if not length:
        return given
    found[kind] = None
    return f"[{kind.upper()}]{given[length:]}"


def _mail(given: str) -> int:
    return 0 if _NOBODY.search(given) else len(given)


def _iban(given: str) -> int:
    wanted = _LENGTHS.get(given[:2], 0)
    end = next((end for end, count in _places(given) if count == wanted), 0)
    written = given[:end].replace(" ", "")
    if not written:
        return 0
    return end if int("".join(str(int(one, 36)) for one in written[4:] + written[:4])) % 97 == 1 else 0


def _places(given: str) -> Iterator[tuple[int, int]]:
    """The end of each letter or digit, and how many there are up to it."""
    count = 0
    for number, one in enumerate(given, 1):
        count += one != " "
        yield number, count


def _card(given: str) -> int:
    digits = [int(one) for one in given if one.isdigit()]
    if not _is_issued("".join(map(str, digits))):
        return 0
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return len(given) if (sum(doubled) + sum(digits[-1::-2])) % 10 == 0 else 0


def _is_issued(digits: str) -> bool:
    """Whether a card of this length can begin so: Visa, Mastercard, American Express, Discover, UnionPay, JCB."""
    begin, length = int(digits[:4]), len(digits)
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 5100 <= begin <= 5599 or 2221 <= begin <= 2720:
        return length == 16
    if digits[:2] in ("34", "37"):
        return length == 15
    if digits[:2] == "62" or begin == 6011 or 6440 <= begin <= 6599:
        return 16 <= length <= 19
    return 3528 <= begin <= 3589 and 16 <= length <= 19


def _phone(given: str) -> int:
    digits = sum(one.isdigit() for one in given)
    return len(given) if 8 <= digits <= 17 else 0


_SHAPES: tuple[tuple[str, re.Pattern[str], Callable[[str], int]], ...] = (
    ("mail", _MAIL, _mail),
    ("iban", _IBAN, _iban),  # before the others, which would take its digits
    ("card", _CARD, _card),
    ("phone", _PHONE, _phone),
)
