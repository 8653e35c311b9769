"""What the process that scores answers is told, and what it answers; plain values that go through JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from control_plane.domain.preparation import Limits


@dataclass(frozen=True)
class Case:
    """What an answer is judged beside; the last two are empty where there is none."""

    prompt: str
    expected: str = ""
    schema: str = ""  # JSON


@dataclass(frozen=True)
class Answer:
    kind: str  # right | wrong | sample | a way of gaming (`domain/rewards/dry_run.py`)
    row: int  # place among the cases, from 0
    text: str


@dataclass(frozen=True)
class Scoring:
    """The order."""

    methods: str  # the folder that holds the kit
    checks: list[dict[str, Any]]
    cases: list[Case]
    answers: list[Answer]
    seconds: float  # that the checks may take in all
    limits: Limits  # of the process; its seconds are more


@dataclass(frozen=True)
class Reason:
    """A code among the reasons of checks.toml, with what its sentence needs."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """What each check gave one answer, from 0 to 1."""

    checks: list[float]
    reasons: list[Reason]


@dataclass(frozen=True)
class LeftOut:
    """A check that cannot be tried here."""

    place: int  # in the reward, from 0
    check: str
    library: str  # that it needs


@dataclass(frozen=True)
class Scored:
    places: list[int]  # of the checks that were tried, in the reward
    left_out: list[LeftOut]
    scores: list[Score]  # in the order of the answers
