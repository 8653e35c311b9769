"""Labelling: answers to a dataset's questions, or rows that a model made up, which people judge one by one.

An item is one of them. A judgement is what one person says of it; where two who judged it disagree, a third person's
judgement is a decision. What an item has come to is its outcome.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_ITEMS = 2_000  # of one labelling
MOST_VARIATIONS = 10  # of one row
LEASE_SECONDS = 900.0  # how long an item is kept for the person who was given it
LONGEST_ANSWER = 100_000  # characters, of a model's or a person's
LONGEST_INSTRUCTION = 4_000  # characters


class Kind(StrEnum):
    """What is judged."""

    ANSWERS = "answers"  # to the questions of rows: a model's, or the rows' own
    VARIATIONS = "variations"  # of rows


class State(StrEnum):
    """How far a labelling is. People judge what is there while the rest is still asked for."""

    ASKING = "asking"
    OPEN = "open"
    CLOSED = "closed"


class ItemState(StrEnum):
    """Whether there is something to judge."""

    WAITING = "waiting"  # for the model
    READY = "ready"
    UNUSABLE = "unusable"  # nothing came that could be judged: the item says why


class Action(StrEnum):
    """What a person says of an item."""

    ACCEPT = "accept"
    CORRECT = "correct"
    REJECT = "reject"
    SKIP = "skip"  # somebody else may say


JUDGING = (Action.ACCEPT, Action.CORRECT, Action.REJECT)
DISAGREED = "disagreed"  # an outcome: two people said different things, and nobody has decided


@dataclass(frozen=True)
class Judgement:
    """What somebody says: the action and, of a correction, the text that it should have been."""

    action: Action
    answer: str = ""


@dataclass(frozen=True)
class Outcome:
    """What an item has come to: an action, DISAGREED, or "" while people are to judge it still; the corrected text."""

    action: str
    answer: str = ""


def outcome(judgements: Sequence[Judgement], seats: int, decision: Judgement | None = None) -> Outcome:
    """What follows from the judgements of `seats` people, and from the decision of a third one."""
    if decision is not None:
        return Outcome(decision.action, decision.answer)
    said = [one for one in judgements if one.action in JUDGING]
    if len(said) < seats:
        return Outcome("")
    if any(one != said[0] for one in said):
        return Outcome(DISAGREED)
    return Outcome(said[0].action, said[0].answer)


def sample(count: int, wanted: int, seed: int) -> list[int]:
    """The places, from 0 and in order, of `wanted` of `count` rows."""
    return sorted(random.Random(seed).sample(range(count), min(wanted, count)))


def judged_twice(count: int, share: float, seed: int) -> frozenset[int]:
    """The places of the items that two people judge: about `share` of them, at least one where there is a share."""
    if share <= 0:
        return frozenset()
    return frozenset(random.Random(f"{seed} twice").sample(range(count), min(max(1, round(share * count)), count)))
