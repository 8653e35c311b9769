"""Write the case's sample data: notes on how an alloy was processed and the property table, in SI units, of each.

    python -m control_plane.cases.alloy_processing.generate [FOLDER]

The same seed gives the same bytes. What training and test part share, and what not, says README.md.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from control_plane.cases.generating import asked, distinct, prompt_of, run, write_rows

SEED = 20260303
TRAIN_ROWS = 320
TEST_ROWS = 64
QUESTION = "Turn this processing note into a property table (JSON, SI units): "
ZERO_CELSIUS = 273  # K; notes give whole degrees


@dataclass(frozen=True)
class Alloy:
    """What is usual for an alloy, each from and to."""

    name: str
    element: str  # that it is known for
    percent: tuple[float, float]  # of its mass
    celsius: tuple[int, int]  # of austenitising or solution treatment
    media: tuple[str, ...]  # that it is cooled in
    strength: tuple[int, int]  # tensile strength in MPa after the whole treatment
    then: str = " and tempered"  # what comes after cooling


AGED = " and aged"
ALLOYS = (
    (
        Alloy("42CrMo4", "Cr", (0.9, 1.2), (820, 880), ("oil", "water"), (900, 1200)),
        Alloy("C45E", "C", (0.42, 0.5), (820, 860), ("water", "oil"), (650, 850)),
        Alloy("51CrV4", "Cr", (0.9, 1.2), (820, 870), ("oil",), (1000, 1300)),
        Alloy("X20Cr13", "Cr", (12, 14), (950, 1050), ("oil", "air"), (700, 950)),
        Alloy("X5CrNi18-10", "Ni", (8, 10.5), (1000, 1100), ("water", "air"), (540, 750), ""),
        Alloy("EN AW-6082", "Mg", (0.6, 1.2), (520, 540), ("water",), (290, 350), AGED),
        Alloy("EN AW-7075", "Zn", (5.1, 6.1), (460, 490), ("water",), (510, 570), AGED),
        Alloy("AlSi10Mg", "Si", (9, 11), (510, 540), ("water",), (240, 330), AGED),
        Alloy("CuCr1Zr", "Cr", (0.5, 1.2), (960, 1010), ("water",), (370, 470), AGED),
        Alloy("Ti-6Al-4V", "Al", (5.5, 6.7), (900, 970), ("water",), (1000, 1170), AGED),
    ),
    (
        Alloy("34CrNiMo6", "Ni", (1.3, 1.7), (830, 860), ("oil",), (1000, 1250)),
        Alloy("25CrMo4", "Cr", (0.9, 1.2), (840, 880), ("water", "oil"), (800, 1000)),
        Alloy("C60E", "C", (0.57, 0.65), (820, 850), ("oil",), (800, 950)),
        Alloy("EN AW-2024", "Cu", (3.8, 4.9), (490, 500), ("water",), (430, 480), AGED),
        Alloy("Inconel 718", "Nb", (4.8, 5.5), (950, 1010), ("air", "water"), (1240, 1400), AGED),
        Alloy("17-4 PH", "Cu", (3, 5), (1020, 1060), ("air", "oil"), (930, 1310), AGED),
    ),
)
PATTERNS = (
    (
        "{alloy} ({percent} {element}) was held at {heat} for {hold}, quenched in {medium}{then}; Rm {strength}.",
        "{alloy}, {element} {percent}: {heat}, {hold}, {medium} quench{then}, Rm = {strength}.",
        "Batch of {alloy} with {percent} {element}. Furnace {heat}, soak {hold}, then {medium}{then}. Rm {strength}.",
        "Heat treatment of {alloy}: {hold} at {heat}, cooled in {medium}{then}. {percent} {element}, Rm {strength}.",
        "{hold} at {heat}, cooled in {medium}{then}: this gave {strength} for {alloy} ({element} {percent}).",
    ),
    (
        "The {alloy} bars, {percent} {element}, reached {strength} after {hold} at {heat}, put in {medium}{then}.",
        "Tensile test: {strength}. Material {alloy} with {element} {percent}, {hold} at {heat}, into {medium}{then}.",
        "We soaked {alloy} ({element}: {percent}) at {heat} over {hold}, cooled by {medium}{then}: {strength}.",
    ),
)


def row(source: random.Random, part: int) -> dict[str, str]:
    """A row of the training (0) or the test part (1)."""
    alloy = source.choice(ALLOYS[part])
    low, high = alloy.percent
    percent = round(source.uniform(low, high), 1 if low >= 1 else 2)
    celsius = source.randrange(alloy.celsius[0], alloy.celsius[1] + 1, 10)
    medium = source.choice(alloy.media)
    strength = source.randrange(alloy.strength[0], alloy.strength[1] + 1, 10)
    seconds, hold = source.choice(HOLDS[part])
    note = source.choice(PATTERNS[part]).format(
        alloy=alloy.name,
        element=alloy.element,
        percent=f"{percent:g} {source.choice(('wt%', '%'))}",
        heat=source.choice((f"{celsius} °C", f"{celsius} °C", f"{celsius + ZERO_CELSIUS} K")),
        hold=hold,
        medium=medium,
        then=alloy.then,
        strength=f"{strength / 1000:g} GPa" if strength >= 1000 and source.random() < 0.5 else f"{strength} MPa",
    )
    record = {
        "alloy": alloy.name,
        "element": alloy.element,
        "mass_percent": percent,
        "heat_k": celsius + ZERO_CELSIUS,
        "hold_s": seconds,
        "quench": medium,
        "strength_mpa": strength,
    }
    return asked(QUESTION, note, record)


# seconds and how they are written; the times of the test part are other ones, but for those of an hour
HOLDS = (
    [(60 * one, f"{one} min") for one in (10, 15, 20, 30, 40, 60)] + [(3600 * one, f"{one} h") for one in (1, 2, 4)],
    [(60 * one, f"{one} min") for one in (25, 45, 50)] + [(3600 * one, f"{one} h") for one in (1, 3)],
)


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    for part, (name, count) in enumerate((("train", TRAIN_ROWS), ("test", TEST_ROWS))):
        write_rows(folder / f"{name}.jsonl", distinct(count, lambda part=part: row(source, part), prompt_of))


if __name__ == "__main__":
    run(write, __file__)
