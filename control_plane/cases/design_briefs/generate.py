"""Write the case's sample data: design briefs in free words and the requirement sheet that belongs to each.

    python -m control_plane.cases.design_briefs.generate [FOLDER]

The same seed gives the same bytes. What training and test part share, and what not, says README.md.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from control_plane.cases.generating import asked, distinct, prompt_of, run, write_rows

SEED = 20260302
TRAIN_ROWS = 320
TEST_ROWS = 64
QUESTION = "Turn this design brief into a requirement sheet (JSON): "

WOODS = ("oak", "ash", "beech", "birch plywood")
STEELS = ("steel S235JR", "steel S355J2", "steel DC01")
STAINLESS = ("stainless steel 1.4301", "stainless steel 1.4404")
ALUMINIUM = ("aluminium EN AW-6060", "aluminium EN AW-6082", "aluminium EN AW-5754")
PLASTICS = ("PA6-GF30", "PP-GF30")

# material group → finishes that it takes
FINISHES = {
    WOODS: ("lacquered", "oiled"),
    STEELS: ("powder-coated", "galvanised"),
    STAINLESS: ("brushed", "electropolished"),
    ALUMINIUM: ("anodised", "powder-coated", "brushed"),
    PLASTICS: ("textured",),
}
# finish → (wordings in training, wordings in the test part)
WORDINGS = {
    "lacquered": (("clear lacquer on all faces", "matt lacquered"), ("a coat of water-based lacquer",)),
    "oiled": (("finished with hard wax oil", "oiled, not varnished"), ("treated with natural oil",)),
    "powder-coated": (
        ("powder-coated in RAL 9005", "powder coat, fine structure", "RAL 7016 powder coating"),
        ("with a powder coating in RAL 3020",),
    ),
    "galvanised": (("hot-dip galvanised", "zinc-coated by hot dip"), ("protected by galvanising",)),
    "brushed": (("brushed along the length", "brush finish, grit 240"), ("with a brushed surface, grit 320",)),
    "electropolished": (
        ("electropolished for easy cleaning", "electropolished inside and out"),
        ("surface by electropolishing",),
    ),
    "anodised": (("anodised, natural colour", "black anodised", "anodised to 15 µm"), ("natural anodising, 20 µm",)),
    "textured": (
        ("fine texture, VDI 3400 Ref. 24", "textured so that it hides scratches"),
        ("eroded texture, VDI 3400 Ref. 30",),
    ),
}


@dataclass(frozen=True)
class Product:
    """A thing: what it can be made of, its size in mm and its load in N from and to, and the standard that tests it."""

    name: str
    materials: tuple[str, ...]
    size: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    load: tuple[int, int]
    norm: str


PRODUCTS = (
    (
        Product("a shelf bracket", STEELS + ALUMINIUM, ((150, 350), (30, 60), (3, 8)), (200, 900), "EN 16122"),
        Product("the seat of an office chair", PLASTICS, ((440, 500), (420, 480), (5, 15)), (1300, 2000), "EN 1335-2"),
        Product("a seat for a school chair", WOODS[2:], ((350, 420), (330, 400), (8, 14)), (1000, 2000), "EN 1729-2"),
        Product("a desk top", WOODS, ((1200, 1800), (700, 900), (18, 28)), (750, 1500), "EN 527-2"),
        Product("a rung of a ladder", ALUMINIUM[:2], ((280, 420), (25, 40), (25, 40)), (1500, 2600), "EN 131-2"),
        Product(
            "a lever handle for doors",
            STAINLESS + ALUMINIUM[:1],
            ((110, 145), (18, 25), (18, 25)),
            (600, 1200),
            "EN 1906",
        ),
        Product("a hinge leaf", STAINLESS + STEELS[:1], ((80, 160), (30, 50), (2, 4)), (400, 1600), "EN 1935"),
        Product(
            "a luggage carrier for bicycles",
            ALUMINIUM[:2] + STEELS[:1],
            ((320, 400), (120, 160), (8, 12)),
            (180, 270),
            "ISO 11243",
        ),
        Product("a bench slat for gardens", WOODS[:2], ((1200, 1800), (60, 120), (20, 35)), (1000, 2000), "EN 581-2"),
        Product(
            "a footrest of a wheelchair",
            PLASTICS[:1] + ALUMINIUM[:2],
            ((150, 220), (120, 180), (8, 20)),
            (800, 1000),
            "ISO 7176-8",
        ),
    ),
    (
        Product(
            "a drawer runner", STEELS[2:] + STAINLESS[:1], ((300, 600), (40, 50), (12, 18)), (250, 700), "EN 15338"
        ),
        Product("the seat of a bar stool", WOODS, ((350, 400), (340, 390), (18, 25)), (1300, 2000), "EN 16139"),
        Product("a castor fork", STEELS[:2] + PLASTICS[:1], ((70, 120), (40, 60), (3, 6)), (400, 1000), "EN 12529"),
        Product(
            "the frame tube of a pushchair", ALUMINIUM[:2], ((450, 700), (20, 30), (20, 30)), (200, 500), "EN 1888-1"
        ),
        Product(
            "a step for a playground",
            WOODS[:1] + STAINLESS[:1],
            ((400, 700), (150, 250), (25, 45)),
            (1000, 2500),
            "EN 1176-1",
        ),
    ),
)
PATTERNS = (
    (
        "We need {name} in {material}, {size}, {finish}. It has to carry {load}, tested to {norm}.",
        "{Name}: {material}, {finish}. Size {size}. Load {load} according to {norm}.",
        "Please draw {name}. Material {material}, {size}, {load} at least, {finish}, standard {norm}.",
        "The customer wants {name}, {size}, made of {material} and {finish}; {load} as in {norm}.",
        "For the new line: {name}. {norm} applies, so {load}. {size}, {material}, {finish}.",
    ),
    (
        "Our next project is {name}. Think of {material}, {finish}, about {size}; it must bear {load} ({norm}).",
        "Could you design {name} that passes {norm} with {load}? We would like {material}, {finish}, {size}.",
        "Brief from marketing: {name} of {material}, {finish}. Outer size {size}. Test load {load}, see {norm}.",
    ),
)


def row(source: random.Random, part: int) -> dict[str, str]:
    """A row of the training (0) or the test part (1)."""
    product = source.choice(PRODUCTS[part])
    material = source.choice(product.materials)
    finish = source.choice(next(finishes for group, finishes in FINISHES.items() if material in group))
    step = (10, 5, 1)
    dimensions = [
        source.randrange(low + (-low % by), high + 1, by) for (low, high), by in zip(product.size, step, strict=True)
    ]
    load = source.randrange(product.load[0], product.load[1] + 1, 50)
    brief = source.choice(PATTERNS[part]).format(
        name=product.name,
        Name=product.name.removeprefix("a ").removeprefix("the ").capitalize(),
        material=material,
        size=sized(source, dimensions),
        load=loaded(source, load),
        finish=source.choice(WORDINGS[finish][part]),
        norm=source.choice(("", "DIN ") if product.norm.startswith("EN") else ("",)) + product.norm,
    )
    record = {
        "material": material,
        "dimensions_mm": dimensions,
        "load_n": load,
        "finish": finish,
        "norm": product.norm,
    }
    return asked(QUESTION, brief, record)


def sized(source: random.Random, dimensions: list[int]) -> str:
    """Length, width and thickness as people write them: in mm, or in cm where the figures stay round."""
    if all(one % 10 == 0 for one in dimensions) and source.random() < 0.5:
        return " x ".join(str(one // 10) for one in dimensions) + " cm"
    return source.choice((" x ", " by ")).join(map(str, dimensions)) + " mm"


def loaded(source: random.Random, load: int) -> str:
    """A load in N, or in kN from 1 kN on."""
    return f"{load / 1000:g} kN" if load >= 1000 and source.random() < 0.5 else f"{load} N"


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    for part, (name, count) in enumerate((("train", TRAIN_ROWS), ("test", TEST_ROWS))):
        write_rows(folder / f"{name}.jsonl", distinct(count, lambda part=part: row(source, part), prompt_of))


if __name__ == "__main__":
    run(write, __file__)
