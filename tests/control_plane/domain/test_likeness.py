"""Texts that say nearly the same, against comparing each with each."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain.likeness import ALIKE, Likeness

WORDS = [f"w{number}" for number in range(12)]


def runs(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}


def alike(one: str, other: str) -> bool:
    mine, theirs = runs(one), runs(other)
    return len(mine & theirs) >= ALIKE * len(mine | theirs) and len(mine) >= 4 and len(theirs) >= 4


@given(st.integers(0, 2**20))
def test_it_finds_what_comparing_each_with_each_finds(seed: int) -> None:
    chance = random.Random(seed)
    known = [" ".join(chance.choices(WORDS, k=chance.randint(3, 30))) for _ in range(20)]
    likeness = Likeness(enumerate(known))
    for text in known[:10]:
        words = text.split()
        words[chance.randrange(len(words))] = "other"
        asked = " ".join(words)
        found = likeness.near(asked)
        assert (found is not None) == any(alike(asked, one) for one in known)
        assert found is None or alike(asked, known[found])


def test_an_instruction_that_all_share_makes_no_two_alike() -> None:
    begin = "Turn this report into a ticket with machine part fault and priority please: "
    likeness = Likeness((n, f"{begin}pump {n} leaks oil at seal {n} since {n} hours") for n in range(60))
    assert likeness.near(f"{begin}the belt of line seven slips when it starts in the cold") is None
    assert likeness.near(f"{begin}pump 7 leaks oil at seal 7 since 7 hours") == 7


def test_chinese_is_told_apart_by_its_signs() -> None:
    likeness = Likeness([(1, "三号泵的密封圈漏油请尽快派人检修")])
    assert likeness.near("三号泵的密封圈漏油请尽快派人修") == 1
    assert likeness.near("五号线的皮带在低温启动时打滑需要调整") is None


def test_what_comes_later_is_known_and_short_texts_are_like_nothing() -> None:
    likeness = Likeness([])
    likeness.add(4, "one two three four five six seven")
    likeness.add(5, "yes no")
    assert likeness.near("one two three four five six seven") == 4
    assert likeness.near("yes no") is None
