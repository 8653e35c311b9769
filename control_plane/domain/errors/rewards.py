"""Rewards: what is wrong with a document and where."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound, TunesmithError


class RewardInvalid(Invalid):
    """The reward is not valid."""


class RewardUnreadable(RewardInvalid):
    """This is not JSON as a reward needs it: {problem}"""


class RewardTooLarge(RewardInvalid):
    """The reward is too large. {what}: at most {most}."""


class RewardKeyUnknown(RewardInvalid):
    """{place}: there is no such key. What can stand here: {known}."""


class RewardEmpty(RewardInvalid):
    """The reward has no check. It needs at least one."""


class RewardValueUnfit(RewardInvalid):
    """{place}: this does not fit. What can stand here: {wanted}."""


class RewardCheckUnknown(RewardInvalid):
    """Check {number}: there is no check “{check}”. There are: {known}."""


class RewardWeightUnfit(RewardInvalid):
    """Check {number}, {check}: a weight is a number above 0 and at most {most}."""


class RewardParameterUnknown(RewardInvalid):
    """Check {number}, {check}: it has no parameter “{parameter}”. It has: {known}."""


class RewardParameterMissing(RewardInvalid):
    """Check {number}, {check}: the parameter “{parameter}” needs a value."""


class RewardParameterUnfit(RewardInvalid):
    """Check {number}, {check}: the parameter “{parameter}” does not fit. What can stand here: {wanted}."""


class RewardUnknown(NotFound):
    """The project has no reward “{reward}”, or you may not see it."""


class RewardChanged(Conflict):
    """Somebody has changed the reward meanwhile; it has version {number} by now. Look at it before you save yours."""


class RewardCheckUnusable(RewardInvalid):
    """Check {number}, {check}, cannot be used: {problem}"""


class RewardRowsUnfit(RewardInvalid):
    """These rows have no question and answer. Choose a dataset of questions with answers."""


class RewardTooSlow(Invalid):
    """The checks took longer than {allowed} seconds. Simplify what they look for."""


class RewardCheckSlow(RewardTooSlow):
    """The checks took longer than {allowed} seconds, most of it “{check}”. Simplify what it looks for."""


class RewardTooDemanding(Invalid):
    """The checks needed more memory than {limit} bytes. Simplify what they look for."""


class RewardDryRunBroke(TunesmithError):
    """The dry run broke off because of a fault of ours; the log of the control plane has it."""


class RewardDryRunOver(Conflict):
    """The dry run is over already."""


class RewardFinding(TunesmithError):
    """A dry run has found something."""


class RewardFewRows(RewardFinding):
    """There are only {count} rows to try: what is said here may be chance."""


class RewardLeftOut(RewardFinding):
    """“{check}” needs {library}, which is not installed here, and was left out. The training and the evaluation bring
    it."""


class RewardRightUnknown(RewardFinding):
    """The rows have no right answers, so whether those would score high is not known."""


class RewardRightLow(RewardFinding):
    """The right answers themselves score only {score} %. “{check}” gives them just {part} %: change what it asks for,
    or give it less weight."""


class RewardWrongHigh(RewardFinding):
    """Answers that belong to other rows score {wrong} %, hardly less than right ones. Give “{check}” more weight: it
    tells them apart best."""


class RewardNothingTells(RewardFinding):
    """No check tells a right answer from one that is none ({kind}), which scores {score} %. Add a check that compares
    with the expected answer."""


class RewardGamed(RewardFinding):
    """What is no answer scores {score} %. Give “{check}” more weight."""


class RewardGamedEmpty(RewardGamed):
    """An empty answer scores {score} %. Give “{check}” more weight."""


class RewardGamedSkeleton(RewardGamed):
    """The bare form without content scores {score} %. Give “{check}” more weight."""


class RewardGamedPrompt(RewardGamed):
    """The question, copied, scores {score} %. Give “{check}” more weight."""


class RewardGamedEndless(RewardGamed):
    """Endless text scores {score} %. Give “{check}” more weight, or add a check of the length."""


class RewardGamedConstant(RewardGamed):
    """The most frequent answer scores {score} % where another one is right. Give “{check}” more weight."""


class RewardGamedInjected(RewardGamed):
    """An answer that only asks for full marks scores {score} %. Give “{check}” more weight."""


class RewardGradientUnknown(RewardFinding):
    """No model was asked, so it is not known whether its answers differ enough in score to learn from."""


class RewardNoGradient(RewardFinding):
    """All answers of the model to a question score the same, in each of {count} questions: nothing can be learned from
    that. A check that gives part of the points for what comes near would help."""


class RewardFlat(RewardFinding):
    """In {flat} of {count} questions all answers of the model score the same: those teach nothing. A check that gives
    part of the points for what comes near would help."""


class RewardSamplesLost(RewardFinding):
    """{count} answers of the model could not be used: they were cut off, empty, or did not come."""
