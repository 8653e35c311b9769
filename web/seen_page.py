"""A row as a model sees it, as its card shows it: which model, how a training would be set, and each run of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask_babel import gettext

from control_plane.domain.errors import Conflict, Invalid, ModelNeeded, SeeingBroke, TooMany
from control_plane.domain.preparation import Example, Learning, Piece
from control_plane.services import tokenizers
from control_plane.services.datasets.seeing import SeenBy, Wish
from web import formatting
from web.access import the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale

LENGTHS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)  # tokens that can be chosen; methods take 512 by themselves

CONVERSATIONS = ("chat", "chat_with_tools")  # formats of which can be chosen what is learned

Option = tuple[str, str]


@dataclass(frozen=True)
class Run:
    """Tokens that follow each other and are of one kind: learned, read, cut, or a gap (which has no tokens)."""

    kind: str
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True)
class Card:
    """What is shown; where there is a `problem`, nothing else is."""

    wish: Wish
    models: list[Option]
    ways: list[Option]  # what is learned of a conversation; empty where there is no choice
    lengths: list[Option]
    found: SeenBy | None = None
    problem: str = ""
    lacks_model: bool = False

    @property
    def examples(self) -> list[tuple[Example, list[Run]]]:
        return [(one, runs(one)) for one in self.found.seen.examples] if self.found else []


def card(arguments: Mapping[str, str], see: Callable[[Wish], SeenBy], has_ways: bool) -> Card:
    """The card that a query asks for; `see` looks at the row. What can go wrong is said on it."""
    wish = Wish(_number(arguments.get("model")), arguments.get("learn_from", ""), _number(arguments.get("max_length")))
    found, problem = None, None
    try:
        found = see(wish)
    except (Invalid, Conflict, TooMany, SeeingBroke) as refused:
        problem = refused
    listed = tokenizers.choices(the_actor(), the_control_plane(), the_project().name, wish.model_id)
    ways = {
        Learning.COMPLETION: gettext("every answer"),
        Learning.LAST: gettext("the last answer"),
        Learning.WHOLE: gettext("the questions, too"),
    }
    fits = formatting.number(found.limit, locale()) if found and found.limit and not wish.max_length else ""
    every = gettext("%(count)s (all that fits)", count=fits) if fits else gettext("what fits into the model")
    return Card(
        wish=wish,
        models=[(str(one.id), one.label) for one in listed],
        ways=[(str(way), word) for way, word in ways.items()] if has_ways else [],
        lengths=[("0", every), *((str(one), formatting.number(one, locale())) for one in LENGTHS)],
        found=found,
        problem=sentence(problem) if problem else "",
        lacks_model=isinstance(problem, ModelNeeded),
    )


def runs(example: Example) -> list[Run]:
    """The pieces of an example, those of one kind together."""
    found: list[Run] = []
    for number, piece in enumerate(example.pieces):
        if example.hidden_pieces and number == example.hidden_after:
            found.append(Run("gap"))
        kind = "cut" if piece.is_cut else "learned" if piece.is_learned else "read"
        if not found or found[-1].kind != kind:
            found.append(Run(kind))
        found[-1].pieces.append(piece)
    return found


def _number(text: str | None) -> int:
    """A number of the query; 0 where there is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0
