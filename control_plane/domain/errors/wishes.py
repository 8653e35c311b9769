"""Wishes: why nothing can be proposed from a text and its examples."""

from __future__ import annotations

from control_plane.domain.errors.family import Invalid


class WishInvalid(Invalid):
    """Nothing can be proposed from this wish."""


class WishTextMissing(WishInvalid):
    """Say in a few sentences what a good answer is."""


class WishTooLong(WishInvalid):
    """{place} is too long: {length} characters, at most {most}."""


class WishExamplesMissing(WishInvalid):
    """There are no examples. Give three to ten questions, each with the answer that would be right."""


class WishExamplesFew(WishInvalid):
    """There are too few different examples: {count}, at least {least} are needed."""


class WishExamplesMany(WishInvalid):
    """There are too many examples to type: {count}, at most {most}. Upload them as a dataset and choose that."""


class WishExampleEmpty(WishInvalid):
    """Example {number} lacks its question or its answer."""


class WishExamplesContradict(WishInvalid):
    """Examples {first} and {second} ask the same and have different answers. Keep the right one."""


class WishAnswersMixed(WishInvalid):
    """The answers are of different kinds: example {number} is unlike the others, of which some are JSON records. Write
    all answers in the same way.
    """


class WishAnswersAlike(WishInvalid):
    """All examples have the same answer, so there is nothing to tell apart. Give examples with different answers."""


class WishAnswersFieldless(WishInvalid):
    """The answers are JSON records without a field, or with more than {most}: no form follows from them."""


class WishForbidsExample(WishInvalid):
    """Example {number} breaks the form: “{place}” is {value} there. Change the form or the example."""


class WishTableUnreadable(WishInvalid):
    """Line {line}: this is no table of two columns, question and answer. Copy the two columns from a spreadsheet, or
    separate them by a tab.
    """
