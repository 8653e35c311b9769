"""Workflows: what is wrong with a spec and where, and why a gate stays shut."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound, TunesmithError


class WorkflowInvalid(Invalid):
    """The workflow is not valid."""


class WorkflowUnreadable(WorkflowInvalid):
    """Line {line}: this is neither YAML nor JSON as a workflow needs it: {problem}"""


class WorkflowTooLarge(WorkflowInvalid):
    """The workflow is too large. {what}: at most {most}."""


class WorkflowKeyUnknown(WorkflowInvalid):
    """Line {line}, {place}: there is no such key. What can stand here: {known}."""


class WorkflowKeyMissing(WorkflowInvalid):
    """Line {line}, {place}: “{key}” is missing."""


class WorkflowValueUnfit(WorkflowInvalid):
    """Line {line}, {place}: this does not fit. What can stand here: {wanted}."""


class WorkflowStepUnknown(WorkflowInvalid):
    """Line {line}, {place}: the workflow has no step “{step}”."""


class WorkflowStepTwice(WorkflowInvalid):
    """Line {line}, {place}: there is another step, parameter or axis called “{name}”."""


class WorkflowReferenceUnknown(WorkflowInvalid):
    """Line {line}, {place}: the workflow has no parameter or axis “{name}”."""


class WorkflowCircle(WorkflowInvalid):
    """The steps wait for each other in a circle: {steps}."""


class WorkflowManyVariants(WorkflowInvalid):
    """Line {line}, {place}: several variants come to this step. “best” says which of them goes on."""


class WorkflowAxisUnused(WorkflowInvalid):
    """Line {line}, {place}: no step uses this axis."""


class WorkflowParameterUnknown(WorkflowInvalid):
    """The workflow has no parameter “{parameter}”. It has: {known}."""


class WorkflowParameterMissing(WorkflowInvalid):
    """The workflow's parameter “{parameter}” needs a value."""


class WorkflowParameterUnfit(WorkflowInvalid):
    """The workflow's parameter “{parameter}” does not fit. What it can be: {wanted}."""


class WorkflowDatasetUnknown(WorkflowInvalid):
    """The step “{step}” takes “{dataset}”, but the project has no such dataset or version."""


class WorkflowUnknown(NotFound):
    """The project has no workflow “{workflow}”, or you may not see it."""


class WorkflowChanged(Conflict):
    """Somebody has changed the workflow meanwhile; it has version {number} by now. Look at it before you save yours."""


class WorkflowRunGoesOn(Conflict):
    """The run goes on; only one that has stopped can be resumed."""


class GateShut(TunesmithError):
    """The step's gate stayed shut."""


class GateVerdictOther(GateShut):
    """The gate asks for the verdict “{expected}”; it is “{given}”."""


class GateMetricUnknown(GateShut):
    """The gate asks for the metric “{metric}”, which the evaluation does not have. It has: {known}."""


class GateNotReached(GateShut):
    """{metric} is {value}; the gate asks for at least {wanted}."""


class GateNotSure(GateShut):
    """The gain in {metric} lies between {low} and {high}; the gate asks that it be certainly at least {least}."""


class NoneBest(GateShut):
    """None of the variants was evaluated, so none can go on."""
