"""What the paragraph of a wish says, as far as words tell it: its language, what it calls each field, which values it
lists, and what there need not be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.domain.errors import WishTextMissing, WishTooLong

LANGUAGES = ("en", "de", "zh")
LONGEST = 4_000  # characters

_GERMAN = frozenset(
    re.findall(
        r"\w+",
        "der die das den dem des ein eine einen und oder mit aus zu zur zum für ist sind wird werden soll nicht jede "
        "jeden jedes wenn falls nur auf in von bei als welche welches ich wir mache machen antworte antworten",
    )
)
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the a an and or of to from with for is are be should must not each every if there only on in by as which what "
        "into we turn make answer write give tell",
    )
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\d_\u4e00-\u9fff]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# where a clause ends, outside of brackets
_END = re.compile(r"[,;:.!?\n、，；：。！？]|\s[–—]\s|\s(?:and|und)\s|以及|和(?=[\u4e00-\u9fff])")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_BETWEEN = re.compile(r"\s*(?:[,;/|、，；]|\s(?:or|oder|and|und)\s|或者?|和)\s*(?:(?:or|oder|and|und)\s)?")
_CONDITION = re.compile(
    r"\b(?:if|where|when|whenever)\s+(?:there|any|given|present|known|mentioned|stated|available|it|one|the\s+\w+\s+(?:has|names|gives|mentions))\b"
    r"|\b(?:optional|if\s+not|unless|may\s+be\s+missing|otherwise\s+(?:null|empty))\b"
    r"|\b(?:falls|sofern|soweit|gegebenenfalls|ggf|wo\s+vorhanden|optional|wenn\s+(?:\w+\s+){0,3}?(?:vorhanden|angegeben|bekannt|genannt|gibt|steht|da\s+ist)|wenn\s+es|kann\s+fehlen)\b"
    r"|如果|若有|如有|若无|倘若|没有则|没有的话|可选|可为空|有的话",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^(?:and|or|und|oder|sowie|a|an|the|its|der|die|das|den|dem|ein|eine|einen|ihre?n?|以及|和)\s+", re.IGNORECASE
)
_LONGEST_VALUE, _MOST_WORDS, _MOST_LABEL = 40, 4, 40


@dataclass(frozen=True)
class Said:
    """What the paragraph says of one field; all of it empty where it does not name the field."""

    words: str = ""  # what it calls the field, and what it adds to that
    values: tuple[str, ...] = ()  # in brackets after it
    may_lack: bool = False  # "if there is one"


def checked(text: str) -> str:
    """The text without the space around it. Raises WishTextMissing, WishTooLong."""
    kept = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not kept:
        raise WishTextMissing
    if len(kept) > LONGEST:
        raise WishTooLong(place="text", length=len(kept), most=LONGEST)
    return kept


def language(text: str) -> str:
    """en, de or zh: the one of the product's languages that the text is most like."""
    letters = [letter for letter in text if letter.isalpha()]
    if letters and sum(bool(_HAN.match(letter)) for letter in letters) / len(letters) > 0.2:
        return "zh"
    words = [word.casefold() for word in _WORD.findall(text)]
    german = sum(word in _GERMAN for word in words) + 2 * sum(letter in "äöüßÄÖÜ" for letter in text)
    return "de" if german > sum(word in _ENGLISH for word in words) else "en"


def about(text: str, names: Sequence[str]) -> dict[str, Said]:
    """What the text says of each field.

    A clause belongs to the field whose name it holds. Where the text lists as many things as there are fields, in the
    same order and with other words (`Anliegen, Dringlichkeit` for `category, urgency`), the place in the list tells.
    """
    clauses = _clauses(text)
    found = {name: next((one for one in clauses if _names(one, name)), "") for name in names}
    if not all(found.values()):
        for run in _runs(text):
            if len(run) == len(names) and _agree(run, names, found):
                found = {name: found[name] or clause for name, clause in zip(names, run, strict=True)}
                break
    return {name: _said(clause) for name, clause in found.items()}


def between(text: str, values: Sequence[str]) -> tuple[str, ...]:
    """The values that the text lists, where at least two of these stand in one list: those between them as well."""
    known = {value.casefold() for value in values}
    best: tuple[str, ...] = ()
    for sentence in re.split(r"[.!?\n。！？:：()（）]", text):
        items = [_value(part) for part in _BETWEEN.split(sentence)]
        places = [at for at, item in enumerate(items) if item.casefold() in known]
        if len(places) > 1:
            run = items[places[0] : places[-1] + 1]
            if all(_short(item) for item in run) and len(run) > len(best):
                best = tuple(dict.fromkeys(run))
    return best


def names_all(text: str, values: Sequence[str]) -> bool:
    """Whether each of these values stands in the text as a word."""
    return all(
        re.search(rf"(?<!\w){re.escape(value)}(?!\w)" if value.isascii() else re.escape(value), text, re.I)
        for value in values
    )


def _said(clause: str) -> Said:
    if not clause:
        return Said()
    may_lack = bool(_CONDITION.search(clause))
    listed = [part for part in _BRACKETS.findall(clause) if not _CONDITION.search(part)]
    values = tuple(dict.fromkeys(_value(one) for part in listed for one in _BETWEEN.split(part) if one.strip()))
    if len(values) < 2 or not all(_short(one) for one in values):
        values = ()
    words = _BRACKETS.sub("", clause)
    if condition := _CONDITION.search(words):
        words = words[: condition.start()]
    return Said(_tidy(words), values, may_lack)


def _clauses(text: str) -> list[str]:
    """The text in its clauses; one that only says when belongs to the clause before it."""
    found: list[str] = []
    for part in _parted(text):
        condition = _CONDITION.search(part)
        if found and condition and condition.start() < 3:
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def _runs(text: str) -> list[list[str]]:
    """The lists of the text: the clauses of each sentence, or of what follows its colon."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s|[\n。！？]", text):
        for part in re.split(r"[:：]", sentence)[::-1]:
            clauses = _clauses(part)
            if len(clauses) > 1:
                found.append(clauses)
    return found


def _parted(text: str) -> list[str]:
    """Split where a clause ends, but never inside of brackets."""
    hidden = [(one.start(), one.end()) for one in _BRACKETS.finditer(text)]
    parts, begin = [], 0
    for end in _END.finditer(text):
        if any(low <= end.start() < high for low, high in hidden) or _is_number(text, end.start()):
            continue
        parts.append(text[begin : end.start()])
        begin = end.end()
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


def _is_number(text: str, at: int) -> bool:
    """Whether the sign there is one of a number's or an abbreviation's: 1.5, z.B."""
    return text[at] in ".," and at + 1 < len(text) and text[at + 1].isalnum() and at > 0 and text[at - 1].isalnum()


def _names(clause: str, name: str) -> bool:
    """Whether the clause holds the words of a field's name side by side: `customer number` for customer_number."""
    wanted = _name_words(name)
    words = [_stem(word.casefold()) for word in _WORD.findall(_BRACKETS.sub(" ", clause))]
    size = len(wanted)
    return bool(wanted) and any(words[at : at + size] == wanted for at in range(len(words) - size + 1))


def _name_words(name: str) -> list[str]:
    return [_stem(word.casefold()) for word in _WORD.findall(_CAMEL.sub(" ", name).replace("_", " ").replace("-", " "))]


def _stem(word: str) -> str:
    """Without what only says that there are several."""
    if not word.isascii() or len(word) < 5:
        return word
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")


def _agree(run: Sequence[str], names: Sequence[str], found: dict[str, str]) -> bool:
    return all(not found[name] or _names(clause, name) for name, clause in zip(names, run, strict=True))


def _tidy(words: str) -> str:
    plain = " ".join(words.split()).strip(" ,;:.-–—、，；：。")
    return _LEADING.sub("", plain)


def _value(part: str) -> str:
    return _LEADING.sub("", part.strip().strip("\"'“”„‚‘’«»「」『』").strip())


def _short(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_VALUE and len(value.split()) <= _MOST_WORDS
