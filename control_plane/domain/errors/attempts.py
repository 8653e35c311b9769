"""Why an attempt failed."""

from __future__ import annotations

from control_plane.domain.errors.family import TunesmithError


class TrainerCrashed(TunesmithError):
    """The method's program ended with status {status}. Its last lines: {lines}"""


class TrainerKilled(TunesmithError):
    """The method's program was ended by the signal {signal}. Its last lines: {lines}"""


class TimeLimit(TunesmithError):
    """It ran longer than the {allowed} that it was allowed, and was ended. Ask for it again with a longer time limit if
    it needs more."""


class MemoryLimit(TunesmithError):
    """It needed more than the {limit} of main memory that such a job may take on this machine, and was ended. Its last
    lines: {lines}"""


class RunnerVanished(TunesmithError):
    """The program that watches over the training disappeared without a result."""


class OutputMissing(TunesmithError):
    """The method ended without the promised output “{output}”."""


class EnvironmentFailed(TunesmithError):
    """The method's environment could not be built: {lines}"""


class EventsTooMany(TunesmithError):
    """More than {limit} events were reported; those that follow are not kept."""


class OutputUnreadable(TunesmithError):
    """The output “{output}” is not what the method's manifest promises: {problem}"""


class AgentRestarted(TunesmithError):
    """The machine restarted during the attempt."""


class AgentError(TunesmithError):
    """The agent of the machine met an error, tried again and could not go on: {problem}"""


class ControlPlaneError(TunesmithError):
    """The control plane met an error when it took the machine's report. Its log says more; please tell an
    administrator."""


class OfferUnbuildable(TunesmithError):
    """What the job needs can no longer be read, so no machine can be given it: {problem}"""


class MethodUnapproved(TunesmithError):
    """The machine's owner lets only approved method versions run on it, and {hash} of “{method}” is none of them."""


class MethodRefused(TunesmithError):
    """The method refused its input: {text}"""


class LeaseExpired(TunesmithError):
    """The machine was silent for too long; the attempt is taken to be lost."""


class MachineLocked(TunesmithError):
    """The machine was locked; the job goes to another one."""


class OfferUnanswered(TunesmithError):
    """The machine did not answer the offer in time."""


class MachinesLost(TunesmithError):
    """The job lost its machine {count} times and is not tried again."""


class EventUnreadable(TunesmithError):
    """The method reported something that cannot be read: {line}"""
