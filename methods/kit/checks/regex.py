"""The answer matches a regular expression."""

import importlib

from kit.checking import Case, Check, Found, found
from kit.events import fail

SECONDS = 0.1  # an expression can be made to search for ever, and answers are long


def make(pattern: str, whole: bool = False, ignore_case: bool = False) -> Check:
    """1 where `pattern` is found in the answer, or matches it as a whole. Refuses `pattern_invalid`."""
    engine = importlib.import_module("regex")  # the package of that name: it has a time limit
    try:
        compiled = engine.compile(pattern, engine.IGNORECASE if ignore_case else 0)
    except (engine.error, RecursionError, OverflowError, MemoryError) as error:
        said = f"The regular expression {pattern} is not valid: {error}"
        fail("pattern_invalid", said, pattern=pattern[:200], reason=str(error))
    match = compiled.fullmatch if whole else compiled.search

    def check(answer: str, _case: Case) -> Found:
        try:
            fits = match(answer.strip() if whole else answer, timeout=SECONDS)
        except TimeoutError:
            return found(0, "pattern_slow", seconds=SECONDS)
        return found(1, "pattern_matches") if fits else found(0, "pattern_misses")

    return check
