"""Rewards: what is wrong with a document and where."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound


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
