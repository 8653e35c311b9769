"""Jobs, workflow runs and what is decided in them, sweeps, and graphs of steps."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Denied, Invalid


class JobOver(Conflict):
    """The job has ended already ({state})."""


class WorkflowRunOver(Conflict):
    """The run has ended already ({state})."""


class NothingToDecide(Conflict):
    """Nothing in this run waits for a decision."""


class DecisionAmbiguous(Invalid):
    """Several steps of this run wait for a decision: {steps}. Say which one."""


class DecisionMade(Conflict):
    """About “{step}” it was decided already: {decision}."""


class FourEyes(Denied):
    """You started this run, so somebody else has to decide about “{step}”.

    A workflow can allow that one decides about one’s own run (own = true).
    """


class StepRefused(Conflict):
    """{name} has refused “{step}”."""


class StepExpired(Conflict):
    """About “{step}” nobody decided in time, which refuses it."""


class ChangeUnknown(Invalid):
    """The run has no step “{step}” of which this could be changed. It has: {known}."""


class NothingChanged(Invalid):
    """Nothing is to be different: the run would only use again what is there."""


class SweepWithoutChoice(Invalid):
    """A sweep needs at least one parameter with two different values, or a range."""


class SweepTooLarge(Invalid):
    """“{what}”: {count} are more than the {limit} that a sweep can have."""


class SweepOver(Conflict):
    """The sweep has ended already ({state})."""


class SweepBehind(Conflict):
    """It was ended early: at the same step, half of the sweep's other jobs had done better."""


class SweepFailing(Conflict):
    """The first {count} jobs have all failed; job {job} says why."""


class SweepMethodChanged(Conflict):
    """The method “{method}” was changed meanwhile; results of its versions cannot be compared."""


class GraphInvalid(Invalid):
    """The plan is not valid."""


class StepMalformed(GraphInvalid):
    """The plan's step “{step}” is malformed: {problem}."""


class StepInputMissing(GraphInvalid):
    """The plan's step “{step}” is not given the input “{input}”."""


class StepInputUnknown(GraphInvalid):
    """The method of the plan's step “{step}” has no input “{input}”."""


class GraphEmpty(GraphInvalid):
    """The plan has no step that anything could carry out."""


class EdgeUnknown(GraphInvalid):
    """The plan says “{edge}” at {place}, but no earlier step makes that."""


class EdgeUnfit(GraphInvalid):
    """The plan says “{edge}” at {place}; that is “{given}”, and what fits there is: {accepted}."""
