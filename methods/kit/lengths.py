"""How long an answer may become, and whether one was cut there: the same for every model of an evaluation."""

from collections.abc import Iterable, Sequence

SHORTEST, LONGEST = 64, 8192  # tokens


def limit(asked: int, expected: Iterable[int]) -> int:
    """The most tokens of an answer: what was asked for, else (0) twice the longest expected answer, 64 to 8192.

    ``expected`` are the lengths of the expected answers in tokens, in the words of each tokenizer that takes part: an
    untuned model writes the same facts in more words, and must not look worse because it was stopped.
    """
    return asked or min(max(2 * max(expected, default=0), SHORTEST), LONGEST)


def is_cut(ids: Sequence[int], ends: Iterable[int]) -> bool:
    """Whether generated tokens stop before the model has ended its answer (finish by length)."""
    return not set(ends) & set(ids)
