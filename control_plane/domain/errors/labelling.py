"""Labellings: what cannot be judged, and what a model's answer lacks."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, TunesmithError


class LabellingUnfit(Invalid):
    """This cannot be done with {given}. It can with {accepted}."""


class LabellingEmpty(Invalid):
    """There is no row to judge: nothing is like what was chosen."""


class LabellingTooLarge(Invalid):
    """These are {count} items, and a labelling has at most {most}. Take a sample."""


class LabellingUnsettled(Invalid):
    """Nothing of this labelling can be kept as such a version yet."""


class LabellingClosed(Conflict):
    """This labelling is closed. Nothing more is judged in it."""


class ItemTaken(Conflict):
    """Others have judged this item meanwhile. Your answer is still here; go on with the next one."""


class ItemUnready(Conflict):
    """There is nothing to judge here: no usable answer came."""


class DecisionNotYours(Conflict):
    """Two people disagree here, and you are one of them. Somebody else decides, or one of you says something else."""


class AnswerEmpty(Invalid):
    """The model answered nothing."""


class AnswerCut(Invalid):
    """The model did not come to an end: its answer was cut after {most} tokens."""


class AnswerEndless(Invalid):
    """The model's answer was longer than {most} characters, or took longer than {seconds} seconds."""


class VariationUnreadable(Invalid):
    """What the model answered is no row of this form: {problem}"""


class VariationDuplicate(Invalid):
    """There is such a row already."""


class VariationNearDuplicate(Invalid):
    """It says nearly the same as another row."""


class LabellingModelChanged(Conflict):
    """“{name}” serves another model than when this labelling began. Answers of two models are not mixed: begin another
    one."""


class LabellingBroke(TunesmithError):
    """Something went wrong here while answers were asked for; the log of the control plane says more. Ask once more."""
