"""In which language each row is, so that a few rows in another one are seen.

Source: the script of the letters (Unicode blocks, told by the bytes that begin their UTF-8) and, in Latin and Cyrillic
letters, the commonest words of each language, the same as in the reward check `methods/kit/checks/language.py`. A row
that shows no language (numbers, code, a name) has none, and is never told to be in another one.
Cost: each word and each sign looked up once, in numpy: some microseconds a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control_plane.preparation.blocks import Block

CODE = "language_mix"

_FEWEST_WORDS = 3  # common ones that name a language
_CLEAR = 1.5  # times as many as of the next language
_FEWEST_SIGNS = 4  # of a script
_WEIGHT = 3  # one sign says as much as so many letters
_COMMON = {
    "en": "the of and to in is that it was for on are with as be at this have from or not but by you which what",
    "de": "der die das und ist in den von zu mit sich des auf für nicht ein eine als auch es an werden aus dem wird",
    "fr": "le la les de des et est un une en que qui dans pour pas sur au avec ce il sont par plus du ne",
    "es": "el la los las de y que en un una es por con para no se del al lo como más pero su sus está",
    "it": "il lo la gli le di e che in un una è per con non si del della sono come da al più ma anche",
    "pt": "o a os as de e que em um uma é por com para não se do da no na mais como mas foi ao",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als door bij naar maar uit dan",
    "sv": "och att det som en på är av för med den till inte om ett men har de var jag kan vid eller så från",
    "pl": "i w na z się nie do to że jest o jak po ale co za od przez dla tym był są oraz może tylko",
    "tr": "ve bir bu da de için ile çok olarak daha ne var gibi olan en kadar sonra ama mi ki her o ya değil ben",
    "uk": "і в на що не з до як та це за від він по але для її його у про були ми ви також або",
    "ru": "и в не на что с по как это из к за от он но для она или мы вы его также были",
}
_BY_WORDS = tuple(_COMMON)
_BY_SCRIPT = ("ja", "ko", "zh", "el", "ar", "he", "hi", "th")  # in this order: kana tell Japanese from Chinese
LANGUAGES = ("", *_BY_WORDS, *_BY_SCRIPT)  # a row's language is a place in it; the first: it cannot be told

_LONGEST = 8  # bytes of a word; longer ones are not looked up
_PLACES = 1 << 13
_BITS = np.uint64(64 - 13)  # a word's place in the table is the highest bits of a product
_KEPT = np.array([*((1 << 8 * size) - 1 for size in range(_LONGEST + 1)), 0], np.uint64)  # of eight bytes, as many
_NO_WORD = 0xFFFFFFFFFFFFFFFF
_MOST_COUNTED = 1 << 15  # words at once: more could be of one language than sixteen bits hold


def _table() -> tuple[np.uint64, NDArray[np.uint64], NDArray[np.uint64]]:
    """A factor that gives each common word a place of its own, the words by place, and each one's languages: 1 or 0 in
    sixteen bits of each.
    """
    words: dict[int, list[int]] = {}
    for number, text in enumerate(_COMMON.values()):
        for word in text.split():
            if len(word.encode()) <= _LONGEST:
                words.setdefault(int.from_bytes(word.encode(), "little"), []).append(number)
    keys = np.array(list(words), np.uint64)
    factor = np.uint64(0xC6D4B45F74A21DA1)  # the first that was tried has no two words in one place
    while len(np.unique(places := keys * factor >> _BITS)) < len(keys):
        factor += np.uint64(2)
    table, languages = np.full(_PLACES, _NO_WORD, np.uint64), np.zeros((_PLACES, len(_COMMON)), "<u2")
    table[places] = keys
    for place, numbers in zip(places, words.values(), strict=True):
        languages[place, numbers] = 1
    return factor, table, languages.view("<u8")


_FACTOR, _WORDS, _OF_WORDS = _table()
_SCRIPTS = np.zeros(1 << 16, np.uint8)  # of the first two bytes of a sign: 1 + its place in _BY_SCRIPT
for _script, _begins in (
    ("ja", range(0xE381, 0xE384)),
    ("ko", range(0xEAB0, 0xED9F)),
    ("zh", range(0xE4B8, 0xE9C0)),
    ("el", range(0xCDB0, 0xCFC0)),
    ("ar", range(0xD880, 0xDBC0)),
    ("he", range(0xD690, 0xD7C0)),
    ("hi", range(0xE0A4, 0xE0A6)),
    ("th", range(0xE0B8, 0xE0BA)),
):
    _SCRIPTS[_begins.start : _begins.stop] = 1 + _BY_SCRIPT.index(_script)


def languages(block: Block) -> NDArray[np.uint8]:
    """The language of each row, as its place in `LANGUAGES`."""
    by_words = _by_words(block)
    if block.buffer.isascii():
        return by_words
    by_script = _by_script(block)
    return np.where(by_script > 0, by_script + len(_BY_WORDS), by_words).astype(np.uint8)


def _by_words(block: Block) -> NDArray[np.uint8]:
    words = block.words
    keys = words.heads & _KEPT[np.minimum(words.sizes, _LONGEST + 1)]
    places = (keys * _FACTOR >> _BITS).astype(np.intp)
    common = np.flatnonzero(_WORDS.take(places) == keys)
    places, rows = places.take(common), words.rows.take(common)
    counts = np.zeros((len(block.rows), len(_BY_WORDS)), np.uint32)
    if len(rows):
        begins = rows != np.roll(rows, 1)
        begins[::_MOST_COUNTED] = True
        firsts = np.flatnonzero(begins)
        some = np.add.reduceat(_OF_WORDS.take(places, axis=0), firsts, axis=0).view("<u2")
        np.add.at(counts, rows[firsts], some)
    most = counts.max(axis=1)
    is_clear = (counts * _CLEAR > most[:, None]).sum(axis=1) == 1
    return np.where(is_clear & (most >= _FEWEST_WORDS), 1 + counts.argmax(axis=1), 0).astype(np.uint8)


def _by_script(block: Block) -> NDArray[np.uint8]:
    """The script that most of a row is in, as 1 + its place in `_BY_SCRIPT`; 0 for Latin and Cyrillic letters."""
    begins = np.flatnonzero(block.codes >= 0xC2)
    scripts = _SCRIPTS[block.codes[begins].astype(np.uint16) << 8 | block.codes[begins + 1]]
    rows = block.rows_of(begins)
    kinds = 1 + len(_BY_SCRIPT)
    signs = np.bincount(rows * kinds + scripts, minlength=len(block.rows) * kinds).reshape(-1, kinds)
    letters = signs.sum(axis=1) + np.add.reduceat(block.is_letter, block.starts, dtype=np.int64)
    others = letters[:, None] - signs
    told = (signs >= _FEWEST_SIGNS) & (signs * _WEIGHT >= others)
    told[:, 0] = False
    return np.where(told.any(axis=1), told.argmax(axis=1), 0).astype(np.uint8)
