"""Prompts: what is wrong with one and where."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound
from control_plane.domain.errors.methods import ParameterInvalid


class PromptInvalid(Invalid):
    """The prompt is not valid."""


class PromptUnreadable(PromptInvalid):
    """This is not JSON as a prompt needs it: {problem}"""


class PromptKeyUnknown(PromptInvalid):
    """The prompt, {place}: there is no such key. What can stand here: {known}."""


class PromptValueUnfit(PromptInvalid):
    """The prompt, {place}: this does not fit. What can stand here: {wanted}."""


class PromptEmpty(PromptInvalid):
    """The prompt says nothing: it has neither a system text nor an example."""


class PromptUnknown(NotFound):
    """The project has no prompt “{prompt}”, or you may not see it."""


class PromptChanged(Conflict):
    """Somebody has changed the prompt meanwhile; it has version {number} by now. Look at it before you save yours."""


class SchemaUnreadable(Invalid):
    """This is not a JSON Schema that answers can be held to: {problem}"""


class SchemaUnfit(Invalid):
    """The schema, {place}: the serving engine cannot hold answers to this. What it can hold them to: {known}."""


class NothingCarried(ParameterInvalid):
    """“{parameter}” asks for “{suffix}”, but the deployment “{deployment}” carries nothing of the kind."""
