"""A model's chat template: a stranger's program in Jinja that makes one text of messages, run where it can do no harm.

It sees what transformers gives it, in Jinja's immutable sandbox, and is bounded in time and in what it writes; the
process that runs it is bounded in memory. Numbers and texts are multiplied within bounds only.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from control_plane.domain.errors import ChatTemplateEndless, ChatTemplateFailed

SECONDS = 2.0  # for one text
MOST = 4_000_000  # characters that it writes

_LARGEST = 1 << 20  # of what is multiplied
_REASON = 200  # characters

Message = Mapping[str, Any]


class _Generation(Extension):
    """`{% generation %} … {% endgeneration %}` marks an answer for trainers; its content is written as it is."""

    tags = {"generation"}  # noqa: RUF012 — as Jinja has it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply, raise to a power or format, unless that could be endless."""
        numbers = all(isinstance(one, int | float) for one in (left, right))
        if operator == "%" and not numbers:
            raise TemplateError("texts are not formatted here")
        if operator == "**" and numbers and abs(right) > 64:
            raise TemplateError("the power is too large")
        if operator == "*" and any(isinstance(one, int) and abs(one) > _LARGEST for one in (left, right)):
            raise TemplateError("the product is too large")
        return super().call_binop(context, operator, left, right)


class ChatTemplate:
    """One template; raises ChatTemplateFailed for what is none."""

    def __init__(self, source: str, tokens: Mapping[str, str]) -> None:
        extensions = [_Generation, "jinja2.ext.loopcontrols"]
        environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=extensions)
        environment.filters["tojson"] = _tojson
        environment.globals |= {"raise_exception": _refuse, "strftime_now": time.strftime}
        self._tokens = tokens
        with _failing():
            self._template = environment.from_string(source)

    def text(self, messages: Sequence[Message], asks: bool, tools: Sequence[Any] | None = None) -> str:
        """The messages as one text; `asks` ends it where the answer begins. `tools` are what the model may call.

        Raises ChatTemplateFailed, or ChatTemplateEndless where it takes too long or writes too much.
        """
        parts, written = [], 0
        given = {"messages": messages, "add_generation_prompt": asks, "tools": tools, "documents": None, **self._tokens}
        with _failing(), _limited():
            for part in self._template.generate(given):
                written += len(part)
                if written > MOST:
                    raise ChatTemplateEndless(seconds=SECONDS, most=MOST)
                parts.append(part)
        return "".join(parts)


@contextmanager
def _failing() -> Iterator[None]:
    """Whatever a stranger's program does wrong becomes one error of ours."""
    try:
        yield
    except (ChatTemplateEndless, MemoryError):
        raise
    except Exception as problem:  # somebody's program, which may fail in any way
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise ChatTemplateFailed(reason=reason[:_REASON]) from problem


@contextmanager
def _limited() -> Iterator[None]:
    """End what takes too long; only in a process's main thread, which has the signal for itself."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise ChatTemplateEndless(seconds=SECONDS, most=MOST)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
