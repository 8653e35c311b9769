"""Write the case's sample data: machine fault reports and the JSON record that belongs to each.

    python -m control_plane.cases.machine_faults.generate [FOLDER]

The same seed gives the same bytes. Training and test rows are built from different sentence patterns, different
wordings of each fault and different machine numbers, so that no sentence of one part occurs in the other: a model
that merely remembers sentences fails the test part.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from control_plane.cases.generating import distinct, run, write_rows
from control_plane.cases.machine_faults import readings

SEED = 20260101
TRAIN_ROWS = 300
TEST_ROWS = 64

MACHINES = ("conveyor", "press", "lathe", "pump", "compressor", "robot", "mill", "furnace", "packer", "crane")

# part -> the faults that this part can have
PARTS = {
    "bearing": ("overheating", "vibration", "noise", "wear", "misalignment"),
    "motor": ("overheating", "vibration", "noise", "no_power"),
    "belt": ("vibration", "noise", "wear", "misalignment"),
    "valve": ("leak", "wear", "blockage"),
    "sensor": ("no_power", "misalignment"),
    "gearbox": ("overheating", "leak", "vibration", "noise"),
    "seal": ("leak", "wear"),
    "hose": ("leak", "wear", "blockage"),
    "filter": ("wear", "blockage"),
    "cable": ("overheating", "wear", "no_power"),
}

# fault -> (wordings in training, wordings in the test part)
FAULTS = {
    "overheating": (
        ("is running far too hot", "gets hot after a few minutes", "overheats under load", "is hot"),
        ("is too hot to touch", "keeps overheating since the morning"),
    ),
    "leak": (
        ("is leaking oil", "drips on the floor", "has a leak", "is losing fluid"),
        ("leaks whenever we start up", "is losing oil, there is a leak"),
    ),
    "vibration": (
        ("vibrates badly", "shakes at full speed", "has a strong vibration", "is vibrating"),
        ("started to vibrate a lot", "shows heavy vibration today"),
    ),
    "noise": (
        ("makes a grinding noise", "squeals loudly", "is unusually noisy", "sounds very loud"),
        ("makes a loud noise when turning", "has become very noisy"),
    ),
    "wear": (
        ("is worn out", "shows heavy wear", "is worn on one side", "has worn down"),
        ("looks badly worn", "has visible wear all around"),
    ),
    "blockage": (
        ("is blocked", "is clogged with dust", "has a blockage", "is stuck with dirt"),
        ("seems to be completely blocked", "is clogged again"),
    ),
    "no_power": (
        ("has no power", "gets no electricity", "lost power", "is dead, no power"),
        ("is without power", "does not get any power"),
    ),
    "misalignment": (
        ("is out of alignment", "is misaligned", "runs off centre", "needs to be aligned"),
        ("has slipped out of alignment", "looks misaligned to me"),
    ),
}

# priority -> (wordings in training, wordings in the test part)
PRIORITIES = {
    "high": (
        (
            "This is urgent.",
            "The line is down, please come at once.",
            "Urgent, production has stopped.",
            "We had to stop the line.",
        ),
        ("Urgent, the line is down.", "Please come at once, production has stopped."),
    ),
    "medium": (
        (
            "Please fix it this week.",
            "We can run at half speed until then.",
            "A repair within this week is fine.",
            "We are running at half speed now.",
        ),
        ("A repair this week would be good.", "At the moment we run at half speed."),
    ),
    "low": (
        (
            "No hurry.",
            "It can wait for the next service.",
            "There is no hurry at all.",
            "Please do it at the next planned service.",
        ),
        ("There is no hurry with this.", "The next planned service is early enough."),
    ),
}

TRAIN_PATTERNS = (
    "The {part} of {machine} {number} {fault}. {priority}",
    "{Machine} {number}: the {part} {fault}. {priority}",
    "Hello, on {machine} {number} the {part} {fault}. {priority}",
    "{priority} The {part} on {machine} {number} {fault}.",
    "Report from the night shift: {machine} {number}, the {part} {fault}. {priority}",
    "I checked {machine} {number} and found that the {part} {fault}. {priority}",
)
TEST_PATTERNS = (
    "We have a problem with {machine} {number}. Its {part} {fault}. {priority}",
    "Good morning, the {part} in {machine} {number} {fault}. {priority}",
    "{priority} It is {machine} {number} again: the {part} {fault}.",
    "Please look at {machine} {number}, because the {part} {fault}. {priority}",
)
PATTERNS = (TRAIN_PATTERNS, TEST_PATTERNS)
QUESTION = "Turn this report into a JSON record: "


@dataclass(frozen=True)
class Choice:
    """What a row was made from: words, and places in the tables of wordings; ``held_out`` is 0 or 1, the test part."""

    held_out: int
    machine: str
    part: str
    number: int
    fault: str
    priority: str
    pattern: int
    fault_wording: int
    priority_wording: int


def choose(source: random.Random, held_out: int, numbers: range) -> Choice:
    """One report's choices."""
    machine, part, number = source.choice(MACHINES), source.choice(list(PARTS)), source.choice(numbers)
    fault, priority = source.choice(PARTS[part]), source.choice(list(PRIORITIES))
    pattern = source.choice(range(len(PATTERNS[held_out])))
    fault_wording = source.choice(range(len(FAULTS[fault][held_out])))
    priority_wording = source.choice(range(len(PRIORITIES[priority][held_out])))
    return Choice(held_out, machine, part, number, fault, priority, pattern, fault_wording, priority_wording)


def row(one: Choice) -> dict[str, str]:
    """The report and its record, which a model learns from."""
    report = PATTERNS[one.held_out][one.pattern].format(
        machine=one.machine,
        Machine=one.machine.capitalize(),
        part=one.part,
        number=one.number,
        fault=FAULTS[one.fault][one.held_out][one.fault_wording],
        priority=PRIORITIES[one.priority][one.held_out][one.priority_wording],
    )
    record = {"machine": f"{one.machine} {one.number}", "part": one.part, "fault": one.fault, "priority": one.priority}
    return {"prompt": QUESTION + report, "completion": json.dumps(record)}


def reading(one: Choice, locale: str) -> dict[str, str]:
    """The same row in another language, for people to read."""
    part, codes = readings.PARTS[locale][one.part], readings.CODES[locale]
    machine = readings.NUMBERED[locale].format(machine=readings.MACHINES[locale][one.machine], number=one.number)
    report = readings.PATTERNS[locale][one.held_out][one.pattern].format(
        machine=machine,
        part=part,
        Part=part[0].upper() + part[1:],
        fault=readings.FAULTS[locale][one.fault][one.held_out][one.fault_wording],
        priority=readings.PRIORITIES[locale][one.priority][one.held_out][one.priority_wording],
    )
    named = {"machine": machine, "part": part.split(" ")[-1], "fault": codes[one.fault]}
    record = readings.RECORD[locale].format(**named, priority=codes[one.priority])
    return {"prompt": readings.QUESTION[locale] + report, "completion": record}


def choices(source: random.Random, count: int, held_out: int, numbers: range) -> list[Choice]:
    """``count`` rows, no two with the same report."""
    return distinct(count, lambda: choose(source, held_out, numbers), lambda one: row(one)["prompt"])


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder, and what they say in each other language."""
    source = random.Random(SEED)
    parts = {
        "train": choices(source, TRAIN_ROWS, 0, range(1, 100, 2)),
        "test": choices(source, TEST_ROWS, 1, range(2, 100, 2)),
    }
    for name, content in parts.items():
        write_rows(folder / f"{name}.jsonl", map(row, content))
        for locale in readings.LOCALES:
            write_rows(folder / f"{name}.{locale}.jsonl", [reading(one, locale) for one in content])


if __name__ == "__main__":
    run(write, __file__)
