"""Write the case's sample data: word problems in arithmetic, each with its calculation and the number that comes of it.

    python -m control_plane.cases.grade_school.generate [FOLDER]

The same seed gives the same bytes. Training and test problems use other sentences, other names and other things; no
problem of one part occurs in the other. What each says in German and Chinese stands beside it, for people to read.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from control_plane.cases import generating
from control_plane.cases.grade_school import readings

SEED = 20260105
TRAIN_ROWS = 400
TEST_ROWS = 128

NAMES = (("Mia", "Ben", "Lara", "Omar", "Finn", "Ida", "Noah", "Zoe"), ("Emma", "Luis", "Nele", "Ali"))
THINGS = (("apples", "marbles", "stickers", "cards", "shells"), ("pens", "stamps", "nuts"))
QUESTION = "Answer with the calculation. "


@dataclass(frozen=True)
class Kind:
    """A kind of problem in the numbers a and b: its sign, how they are drawn, the answer, and its sentences by part."""

    sign: str
    draw: Callable[[random.Random], tuple[int, int]]
    answer: Callable[[int, int], int]
    sentences: tuple[tuple[str, ...], tuple[str, ...]]


def _two(low: int, high: int) -> Callable[[random.Random], tuple[int, int]]:
    return lambda source: (source.randint(low, high), source.randint(low, high))


def _less(source: random.Random) -> tuple[int, int]:
    a = source.randint(6, 20)
    return a, source.randint(2, a - 2)


def _shared(source: random.Random) -> tuple[int, int]:
    b = source.randint(2, 6)
    return b * source.randint(2, 8), b


KINDS = (
    Kind(
        "+", _two(2, 15), lambda a, b: a + b,
        (
            ("{name} has {a} {things} and gets {b} more. How many {things} does {name} have now?",
             "There are {a} {things} on the table and {b} {things} in the box. How many {things} are there in all?"),
            ("{name} found {a} {things} on Monday and {b} on Tuesday. How many {things} is that together?",),
        ),
    ),
    Kind(
        "-", _less, lambda a, b: a - b,
        (
            ("{name} has {a} {things} and gives {b} away. How many {things} are left?",
             "Of {a} {things}, {name} loses {b}. How many {things} remain?"),
            ("{name} had {a} {things}. Now {b} of them are gone. How many {things} does {name} still have?",),
        ),
    ),
    Kind(
        "*", _two(2, 9), lambda a, b: a * b,
        (
            ("{name} has {a} bags with {b} {things} in each. How many {things} does {name} have?",
             "A box holds {b} {things}. How many {things} are in {a} boxes?"),
            ("There are {a} rows of {b} {things}. How many {things} does {name} count?",),
        ),
    ),
    Kind(
        "/", _shared, lambda a, b: a // b,
        (
            ("{name} shares {a} {things} equally among {b} children. How many {things} does each child get?",
             "{a} {things} are put into {b} bags, the same number in each. How many {things} are in one bag?"),
            ("{b} friends divide {a} {things} fairly. How many {things} are there for each friend?",),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What a problem is made from: places in the tables, and its numbers."""

    held_out: int
    kind: int
    sentence: int
    name: int
    thing: int
    a: int
    b: int

    @property
    def answer(self) -> str:
        """The calculation with the number at its end."""
        kind = KINDS[self.kind]
        return f"{self.a} {kind.sign} {self.b} = {kind.answer(self.a, self.b)}"


def choose(source: random.Random, held_out: int) -> Choice:
    """One problem's choices."""
    kind = source.randrange(len(KINDS))
    a, b = KINDS[kind].draw(source)
    while KINDS[kind].answer(a, b) in (a, b):  # a number that is copied is not to be right
        a, b = KINDS[kind].draw(source)
    sentence = source.randrange(len(KINDS[kind].sentences[held_out]))
    return Choice(
        held_out, kind, sentence, source.randrange(len(NAMES[held_out])), source.randrange(len(THINGS[held_out])), a, b
    )


def row(one: Choice) -> dict[str, str]:
    """The problem and its answer."""
    said = (
        KINDS[one.kind]
        .sentences[one.held_out][one.sentence]
        .format(name=NAMES[one.held_out][one.name], things=THINGS[one.held_out][one.thing], a=one.a, b=one.b)
    )
    return {"prompt": QUESTION + said, "completion": one.answer}


def reading(one: Choice, locale: str) -> dict[str, str]:
    """The same row in another language, for people to read."""
    said = readings.SENTENCES[locale][one.kind][one.held_out][one.sentence].format(
        name=NAMES[one.held_out][one.name], things=readings.THINGS[locale][one.held_out][one.thing], a=one.a, b=one.b
    )
    return {"prompt": readings.QUESTION[locale] + said, "completion": one.answer}


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder, and what they say in each other language."""
    source = random.Random(SEED)
    for name, count, held_out in (("train", TRAIN_ROWS, 0), ("test", TEST_ROWS, 1)):
        content = generating.distinct(count, partial(choose, source, held_out), lambda one: row(one)["prompt"])
        generating.write_rows(folder / f"{name}.jsonl", map(row, content))
        for locale in readings.LOCALES:
            said = [reading(one, locale) for one in content]
            generating.write_rows(folder / f"{name}.{locale}.jsonl", said)


if __name__ == "__main__":
    generating.run(write, __file__)
