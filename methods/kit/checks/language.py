"""The answer is in a certain language, told by its script and, in Latin letters, by its commonest words."""

import unicodedata

from kit import checking
from kit.checking import Case, Check, Found, found

SCRIPTS = {"zh": ("CJK",), "ja": ("HIRAGANA", "KATAKANA", "CJK"), "ko": ("HANGUL",), "ru": ("CYRILLIC",),
           "uk": ("CYRILLIC",), "el": ("GREEK",), "ar": ("ARABIC",), "he": ("HEBREW",), "hi": ("DEVANAGARI",),
           "th": ("THAI",)}  # fmt: skip
COMMON = {
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
_SETS = {language: frozenset(text.split()) for language, text in COMMON.items()}
UNSURE = 0.5  # where no common word tells one language from another
LONGEST = 20_000  # characters that are looked at


def make(language: str = "en") -> Check:
    """How surely the answer is in `language` (ISO 639-1); 0 for an answer without a letter."""
    scripts = SCRIPTS.get(language, ("LATIN",))

    def check(answer: str, _case: Case) -> Found:
        names = [unicodedata.name(one, "") for one in answer[:LONGEST] if one.isalpha()]
        if not names:
            return found(0, "no_letters")
        share = sum(name.startswith(scripts) for name in names) / len(names)
        if language == "ja" and not any(name.startswith(("HIRAGANA", "KATAKANA")) for name in names):
            share *= UNSURE
        if language == "zh":  # kana say that it is Japanese
            share *= not any(name.startswith(("HIRAGANA", "KATAKANA")) for name in names)
        score = share * (_by_words(answer[:LONGEST], language) if language in COMMON else 1)
        return found(score, "language_is" if score >= UNSURE else "language_is_not", language=language)

    return check


def _by_words(answer: str, language: str) -> float:
    """How many of the language's commonest words there are, beside the language that has most."""
    given = checking.words(answer)
    counts = {one: sum(word in words for word in given) for one, words in _SETS.items()}
    return counts[language] / max(counts.values()) if any(counts.values()) else UNSURE
