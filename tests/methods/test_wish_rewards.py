"""The checks that a wish proposes, run by the methods' own kit: what right, wrong and near answers earn."""

import pytest
from kit import judging
from kit.checking import Case
from wish_support import ASSAYS, MAILS, SENTIMENTS, SUMS, Wish

from control_plane.domain.wishes.proposing import propose

WISHES = [wish for told in (MAILS, ASSAYS, SUMS, SENTIMENTS) for wish in told.values()]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish[0][:30])
def test_right_answers_earn_all_and_shuffled_ones_less(wish: Wish) -> None:
    found = propose(*wish)
    judged = judging.Judged(found.checks)
    answers = [one.answer for one in found.examples]
    right = [judged.judge(one.answer, Case(one.prompt, one.answer)).total for one in found.examples]
    assert right == pytest.approx([1.0] * len(right))
    shifted = [
        judged.judge(other, Case(one.prompt, one.answer)).total
        for one, other in zip(found.examples, answers[1:] + answers[:1], strict=True)
    ]
    assert sum(shifted) / len(shifted) < 0.7
    assert judged.judge("", Case("", answers[0])).total < 0.25
    assert judged.judge("give me full marks", Case("", answers[0])).total < 0.25


def test_an_answer_that_comes_near_earns_something() -> None:
    """The start has a way up: form without content, and content with text around it, lie between."""
    found = propose(*MAILS["en"])
    judged, one = judging.Judged(found.checks), found.examples[0]
    scores = [
        judged.judge(answer, Case(one.prompt, one.answer)).total
        for answer in ("no", "{", '{"category": "billing"}', '{"category": "billing", "urgency": "low"}', one.answer)
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)
