"""Write the case's sample data: machine fault reports and the JSON record that belongs to each.

    python generate.py [FOLDER]

The same seed gives the same bytes. Training and test rows are built from different sentence patterns, different
wordings of each fault and different machine numbers, so that no sentence of one part occurs in the other: a model
that merely remembers sentences fails the test part.
"""

import json
import random
import sys
from pathlib import Path

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
QUESTION = "Turn this report into a JSON record: "


def row(source: random.Random, patterns: tuple[str, ...], part_of_data: int, numbers: range) -> dict[str, str]:
    """One report and its record; ``part_of_data`` picks the wordings, 0 for training and 1 for the test part."""
    machine, part, number = source.choice(MACHINES), source.choice(list(PARTS)), source.choice(numbers)
    fault, priority = source.choice(PARTS[part]), source.choice(list(PRIORITIES))
    report = source.choice(patterns).format(
        machine=machine,
        Machine=machine.capitalize(),
        part=part,
        number=number,
        fault=source.choice(FAULTS[fault][part_of_data]),
        priority=source.choice(PRIORITIES[priority][part_of_data]),
    )
    record = {"machine": f"{machine} {number}", "part": part, "fault": fault, "priority": priority}
    return {"prompt": QUESTION + report, "completion": json.dumps(record)}


def rows(
    source: random.Random, count: int, patterns: tuple[str, ...], part_of_data: int, numbers: range
) -> list[dict[str, str]]:
    """``count`` rows, no two with the same report."""
    chosen: dict[str, dict[str, str]] = {}
    while len(chosen) < count:
        one = row(source, patterns, part_of_data, numbers)
        chosen[one["prompt"]] = one
    return list(chosen.values())


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    parts = {
        "train.jsonl": rows(source, TRAIN_ROWS, TRAIN_PATTERNS, 0, range(1, 100, 2)),
        "test.jsonl": rows(source, TEST_ROWS, TEST_PATTERNS, 1, range(2, 100, 2)),
    }
    for name, content in parts.items():
        text = "".join(json.dumps(one) + "\n" for one in content)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
