"""Prompts: what is wrong with one and where."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound


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
