"""What the checks of a dataset have found, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.domain.preparation import Finding, Report
from web import check_words


@dataclass(frozen=True)
class Found:
    """What a check has found, in words; `choices` are (value, word), `places` (line, words, excerpt)."""

    check: str
    name: str
    about: str
    summary: str
    count: int  # rows
    choice: str
    done: str  # the choice in words
    choices: list[tuple[str, str]]
    places: list[tuple[int, str, str]]


def found(report: Report) -> list[Found]:
    """What the checks have found, in words; those that found nothing are left out."""
    return [_found(one) for one in report.findings if one.count]


def nothing(report: Report) -> list[str]:
    """What the other checks look for."""
    return [check_words.check(one.check) for one in report.findings if not one.count]


def _found(one: Finding) -> Found:
    return Found(
        check=one.check,
        name=check_words.check(one.check),
        about=check_words.about(one.check),
        summary=check_words.summary(one),
        count=one.count,
        choice=str(one.choice),
        done=check_words.choice(one.check, one.choice),
        choices=[(str(choice), check_words.choice(one.check, choice)) for choice in one.choices],
        places=[(at.line, check_words.place(one.check, at), at.excerpt) for at in one.places],
    )
