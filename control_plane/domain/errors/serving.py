"""Deployments, their engines and the gateway."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, Unavailable
from control_plane.domain.errors.methods import ParameterUnsupported


class NothingServes(Unavailable):
    """No machine serves “{deployment}” at the moment."""


class EngineFailed(Unavailable):
    """The serving engine on the machine failed: {problem}"""


class EngineEnvironment(Unavailable):
    """The machine is installing the serving engine; the first time this takes some minutes."""


class EngineCompiling(Unavailable):
    """This machine has no ready-made serving engine, so it compiles one, once; this takes about ten minutes."""


class EngineFallback(Unavailable):
    """The machine serves with its second engine, which answers one question at a time; the others wait."""


class PartUnsupported(ParameterUnsupported):
    """“{parameter}” is of the type “{kind}”. The models that are served here read text: send parts of the type
    “text”."""


class EchoUnsupported(ParameterUnsupported):
    """“{parameter}” is not possible: the serving engine does not give the probabilities of the tokens of a prompt, so
    that given answers cannot be scored here. Leave it out to have a text continued."""


class ToolsUnsupported(ParameterUnsupported):
    """“{parameter}” is not possible: the chat template of this model, or its serving engine, knows no tools, so that
    none can be required. Use “auto” or “none”, or a model whose template knows tools."""


class TemplateRefused(ParameterUnsupported):
    """“{parameter}”: the chat template of this model does not take these messages, perhaps because of their roles or
    their order."""


class ContextExceeded(Invalid):
    """The request has {tokens} tokens, and the deployment has room for {most}, question and answer together."""


class RequestRefused(Invalid):
    """The serving engine does not take this request; the log of the agent on its machine says more."""


class EmbeddingsUnsupported(ParameterUnsupported):
    """“{parameter}”: the models that are served here write text; none of them gives embeddings."""


class MachineWentAway(Unavailable):
    """The connection to the machine that serves this is gone; please try again in a moment."""


class ReaderTooSlow(Unavailable):
    """The answer was not read fast enough and was ended."""


class DeadlineExceeded(Unavailable):
    """There was no answer within {seconds} seconds."""


class ModelUnfit(Invalid):
    """“{model}” cannot be served: only GGUF models can. Package it first."""


class ModelOnlyScores(Invalid):
    """“{model}” is a reward model: it scores answers and writes none, so it cannot be served."""


class StepCancelled(Conflict):
    """Its job {job} was cancelled."""


class DeploymentChanged(Conflict):
    """The deployment “{deployment}” was stopped, or given another model, before it served this one."""
