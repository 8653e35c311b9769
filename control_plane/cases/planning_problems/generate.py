"""Write the case's sample data: planning problems in words, and the linear program that belongs to each, as JSON.

    python -m control_plane.cases.planning_problems.generate [FOLDER]

The same seed gives the same bytes. Training and test rows tell of other things in other sentences and with other
numbers. Each program has an optimum by the way it is made: its limits are those of a plan that can be carried out.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from control_plane.cases import generating

SEED = 20260103
TRAIN_ROWS = 640
TEST_ROWS = 64


@dataclass(frozen=True)
class Family:
    """A kind of problem in two variables {x} and {y}; in its sentences {A} and {B} are the limits of two constraints.

    {a1} {a2} and {b1} {b2} are the coefficients of those, {c1} {c2} the objective's, {u} is a bound. A problem is an
    opening and one sentence each of the first constraint, the second one, the objective and the bound, in any order.
    """

    sense: str
    limits: tuple[str, str]
    first: range  # a1, a2; range(1, 2): a plain sum
    second: range  # b1, b2
    value: range  # c1, c2
    size: range  # of a plan that can be carried out
    bound: str  # "y low": at least so much of y; "x high": at most so much of x
    things: tuple[tuple[str, ...], tuple[str, ...]]  # (training, test)
    openings: tuple[tuple[str, ...], tuple[str, ...]]
    clauses: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    known: Mapping[str, Mapping[str, range]] = field(default_factory=dict)  # a sentence's word → what a thing has of it


FACTORY = Family(
    "maximize", ("at_most", "at_most"), range(2, 13), range(1, 9), range(40, 400, 5), range(8, 60), "x high",
    (
        ("butter", "cheese", "yoghurt", "paint", "glue", "soap", "paper", "felt", "rope", "glass", "steel", "bread"),
        ("cream", "sugar", "wax", "cotton", "wool", "oil"),
    ),
    (
        ("A plant makes {x} and {y} and wants the most profit.", "Plan {x} and {y} for the highest profit.",
         "Which amounts of {x} and {y} earn the most?"),
        ("How much {x} and {y} should be made to earn as much as possible?", "The works turns out {x} and {y}; find "
         "the best profit."),
    ),
    (
        (
            ("A tonne of {x} takes {a1} hours on the line, a tonne of {y} {a2}; the line has {A} hours.",
             "Machine hours are {a1} a tonne for {x} and {a2} a tonne for {y}, {A} in all.",
             "The line runs up to {A} hours: {a1} for each tonne of {x} and {a2} for each tonne of {y}."),
            ("Drying takes {a1} hours a tonne of {x} and {a2} a tonne of {y}, with {A} hours free.",
             "There are {A} oven hours; {x} needs {a1} of them a tonne, {y} needs {a2}."),
        ),
        (
            ("Packing takes {b1} hours a tonne of {x} and {b2} a tonne of {y}; there are {B} hours.",
             "Of {B} hours of work a tonne of {x} uses {b1} and a tonne of {y} {b2}.",
             "Staff hours: {b1} a tonne for {x}, {b2} a tonne for {y}, no more than {B}."),
            ("Milling takes {b1} hours a tonne of {x} and {b2} a tonne of {y}, with {B} hours free.",
             "There are {B} hours of transport; {x} needs {b1} of them a tonne, {y} needs {b2}."),
        ),
        (
            ("Profit is {c1} euros a tonne of {x} and {c2} a tonne of {y}.",
             "We earn {c1} euros with a tonne of {x} and {c2} with a tonne of {y}.",
             "Each tonne of {x} brings {c1} euros, each tonne of {y} {c2}."),
            ("The gain a tonne is {c1} euros for {x} and {c2} for {y}.",
             "A tonne of {x} yields {c1} euros, a tonne of {y} {c2}."),
        ),
        (
            ("No more than {u} tonnes of {x} can be sold.", "At most {u} tonnes of {x}, please.",
             "Storage takes up to {u} tonnes of {x}."),
            ("The market wants {u} tonnes of {x} or less.", "The limit for {x} is {u} tonnes."),
        ),
    ),
)  # fmt: skip
FARM = Family(
    "maximize", ("at_most", "at_most"), range(1, 2), range(2, 15), range(150, 900, 10), range(10, 90), "y low",
    (
        ("wheat", "corn", "rye", "cabbage", "hemp", "clover", "rice", "grapes", "carrots", "onions"),
        ("barley", "cotton", "oats", "beans", "peas"),
    ),
    (
        ("A farm grows {x} and {y} and wants the most income.", "Plan {x} and {y} for the highest margin.",
         "How many hectares of {x} and {y} bring the most?"),
        ("How should the land be shared between {x} and {y} to earn as much as possible?", "The cooperative grows {x} "
         "and {y}; find the best income."),
    ),
    (
        (
            ("There are {A} hectares.", "The land is {A} hectares.", "In all no more than {A} hectares can be used."),
            ("We have {A} hectares of fields.", "Together they take up to {A} hectares."),
        ),
        (
            ("A hectare of {x} needs {b1} days of work, a hectare of {y} {b2}; there are {B} days.",
             "Water is {b1} units a hectare for {x} and {b2} a hectare for {y}, {B} in all.",
             "Of {B} days of work each hectare of {x} uses {b1} and each hectare of {y} {b2}."),
            ("Fertiliser is {b1} bags a hectare of {x} and {b2} a hectare of {y}, with {B} bags in the barn.",
             "There are {B} machine hours; a hectare of {x} needs {b1} of them, one of {y} {b2}."),
        ),
        (
            ("A hectare of {x} brings {c1} euros, one of {y} {c2}.", "The margin is {c1} euros a hectare for {x} and "
             "{c2} for {y}.", "We earn {c1} euros with a hectare of {x} and {c2} with a hectare of {y}."),
            ("Income a hectare is {c1} euros from {x} and {c2} from {y}.", "A hectare of {x} yields {c1} euros, a "
             "hectare of {y} {c2}."),
        ),
        (
            ("At least {u} hectares must be {y}.", "The contract asks for {u} hectares of {y} or more.",
             "Sow no fewer than {u} hectares of {y}."),
            ("Not less than {u} hectares of {y}.", "Crop rotation wants {u} hectares of {y} at least."),
        ),
    ),
)  # fmt: skip
CONTENTS = {  # of a kilogram of feed as it is fed: g, energy in MJ
    "protein": {
        "bran": range(140, 171), "hay": range(80, 141), "soy": range(430, 481), "corn": range(75, 96),
        "straw": range(30, 46), "pulp": range(80, 101), "clover": range(130, 171), "rye": range(85, 111),
        "potatoes": range(18, 25), "carrots": range(8, 13),
    },
    "energy": {
        "bran": range(9, 12), "hay": range(7, 11), "soy": range(12, 15), "corn": range(12, 15), "straw": range(5, 8),
        "pulp": range(10, 13), "clover": range(8, 11), "rye": range(12, 14), "potatoes": range(2, 4),
        "carrots": range(1, 3),
    },
    "fibre": {
        "bran": range(90, 121), "hay": range(250, 321), "soy": range(40, 71), "corn": range(20, 31),
        "straw": range(370, 431), "pulp": range(170, 201), "clover": range(230, 291), "rye": range(20, 31),
        "potatoes": range(5, 9), "carrots": range(9, 15),
    },
    "minerals": {
        "bran": range(50, 66), "hay": range(60, 101), "soy": range(55, 71), "corn": range(12, 18),
        "straw": range(40, 81), "pulp": range(50, 81), "clover": range(80, 111), "rye": range(16, 23),
        "potatoes": range(9, 13), "carrots": range(8, 13),
    },
    "starch": {
        "malt": range(550, 621), "oats": range(360, 421), "beans": range(360, 421), "barley": range(500, 551),
        "peas": range(420, 481),
    },
    "sugar": {
        "malt": range(60, 101), "oats": range(10, 21), "beans": range(30, 46), "barley": range(20, 31),
        "peas": range(40, 61),
    },
    "fat": {
        "malt": range(15, 26), "oats": range(45, 56), "beans": range(10, 19), "barley": range(18, 26),
        "peas": range(8, 15),
    },
    "lysine": {
        "malt": range(4, 7), "oats": range(4, 6), "beans": range(15, 18), "barley": range(3, 5), "peas": range(14, 18),
    },
}  # fmt: skip
FEED = Family(
    "minimize", ("at_least", "at_least"), range(20, 300, 5), range(5, 120, 5), range(10, 90), range(2, 20), "x high",
    (
        ("bran", "hay", "soy", "corn", "straw", "pulp", "clover", "rye", "potatoes", "carrots"),
        ("malt", "oats", "beans", "barley", "peas"),
    ),
    (
        ("Feed is mixed from {x} and {y} at the lowest cost.", "Find a cheap ration of {x} and {y}.",
         "Which amounts of {x} and {y} cost the least?"),
        ("What does the cheapest blend of {x} and {y} look like?", "Mix {x} and {y} for as little money as possible."),
    ),
    (
        (
            ("A kilogram of {x} has {a1} g of protein, one of {y} {a2}; the portion needs at least {A} g.",
             "Energy is {a1} MJ a kilogram for {x} and {a2} a kilogram for {y}, {A} or more in all.",
             "Of protein we want no less than {A} g, with {a1} g in a kilogram of {x} and {a2} in one of {y}."),
            ("Starch is {a1} g a kilogram of {x} and {a2} g a kilogram of {y}, and {A} g are needed.",
             "It takes {A} g of sugar at least; {a1} come with a kilogram of {x}, {a2} with one of {y}."),
        ),
        (
            ("A kilogram of {x} has {b1} g of fibre, one of {y} {b2}; the portion needs at least {B} g.",
             "Minerals are {b1} g a kilogram for {x} and {b2} a kilogram for {y}, {B} or more in all.",
             "Of fibre we want no less than {B} g, with {b1} g in a kilogram of {x} and {b2} in one of {y}."),
            ("Fat is {b1} g a kilogram of {x} and {b2} g a kilogram of {y}, and {B} g are needed.",
             "It takes {B} g of lysine at least; {b1} come with a kilogram of {x}, {b2} with one of {y}."),
        ),
        (
            ("A kilogram of {x} costs {c1} cents, one of {y} {c2}.", "We pay {c1} cents for a kilogram of {x} and {c2} "
             "for a kilogram of {y}.", "The price is {c1} cents a kilogram for {x} and {c2} for {y}."),
            ("Cost a kilogram is {c1} cents for {x} and {c2} for {y}.", "A kilogram of {x} comes at {c1} cents, a "
             "kilogram of {y} at {c2}."),
        ),
        (
            ("No more than {u} kg of {x} is there.", "At most {u} kg of {x}, please.", "Use up to {u} kg of {x}."),
            ("The store has {u} kg of {x} or less.", "The limit for {x} is {u} kg."),
        ),
    ),
    CONTENTS,
)  # fmt: skip
EMISSIONS = {  # kg of CO2 a MWh, with what building and fuel take
    "wind": range(8, 16), "solar": range(25, 51), "water": range(5, 26), "wood": range(130, 261, 5),
    "gas": range(370, 501, 5), "coal": range(820, 1001, 5), "oil": range(650, 801, 5), "waste": range(400, 651, 5),
    "nuclear": range(5, 16), "geothermal": range(20, 61),
}  # fmt: skip
PRICES = {  # euros a MWh
    "wind": range(40, 91), "solar": range(35, 81), "water": range(30, 81), "wood": range(80, 151),
    "gas": range(70, 141), "coal": range(60, 121), "oil": range(150, 251), "waste": range(60, 121),
    "nuclear": range(60, 131), "geothermal": range(60, 111),
}  # fmt: skip
POWER = Family(
    "minimize", ("at_least", "at_most"), range(1, 2), range(5, 95, 5), range(20, 140), range(10, 200), "x high",
    (
        ("wind", "gas", "solar", "coal", "water", "wood"),
        ("oil", "waste", "nuclear", "geothermal"),
    ),
    (
        ("A town gets power from {x} and {y} at the lowest cost.", "Buy power from {x} and {y} for little money.",
         "Which amounts of {x} and {y} power cost the least?"),
        ("What is the cheapest supply from {x} and {y}?", "Take power from {x} and {y} for as little money as "
         "possible."),
    ),
    (
        (
            ("The town needs at least {A} MWh.", "In all it takes {A} MWh or more.", "Buy no less than {A} MWh."),
            ("The demand is {A} MWh at least.", "Not less than {A} MWh are needed."),
        ),
        (
            ("A MWh from {x} emits {b1} kg of CO2, one from {y} {b2}; at most {B} kg are allowed.",
             "CO2 is {b1} kg a MWh for {x} and {b2} a MWh for {y}, {B} in all.",
             "Of {B} kg of CO2 each MWh from {x} uses {b1} and each MWh from {y} {b2}."),
            ("The CO2 budget is {B} kg; {x} needs {b1} of them a MWh, {y} needs {b2}.",
             "Emissions are {b1} kg a MWh of {x} and {b2} kg a MWh of {y}, with {B} kg as the limit."),
        ),
        (
            ("A MWh from {x} costs {c1} euros, one from {y} {c2}.", "We pay {c1} euros for a MWh from {x} and {c2} for "
             "a MWh from {y}.", "The price is {c1} euros a MWh for {x} and {c2} for {y}."),
            ("Cost a MWh is {c1} euros for {x} and {c2} for {y}.", "A MWh from {x} comes at {c1} euros, a MWh from {y} "
             "at {c2}."),
        ),
        (
            ("From {x} come up to {u} MWh.", "At most {u} MWh of {x}, please.", "No more than {u} MWh of {x} can be "
             "had."),
            ("The line to {x} carries {u} MWh or less.", "The limit for {x} is {u} MWh."),
        ),
    ),
    {"co2": EMISSIONS, "emissions": EMISSIONS, "euros": PRICES},
)  # fmt: skip
FAMILIES = (FACTORY, FARM, FEED, POWER)
QUESTION = "Write this planning problem as a linear program in JSON: "


def row(source: random.Random, held_out: int) -> dict[str, str]:
    """One problem and its program."""
    family = source.choice(FAMILIES)
    x, y = source.sample(family.things[held_out], 2)
    clauses = [source.choice(wordings[held_out]) for wordings in family.clauses]
    (a1, a2), (b1, b2), (c1, c2) = (
        [source.choice(_values(family, clause, thing) or usual) for thing in (x, y)]
        for clause, usual in zip(clauses, (family.first, family.second, family.value), strict=False)
    )
    of_x, of_y = source.choice(family.size), source.choice(family.size)  # a plan that can be carried out
    first, second = a1 * of_x + a2 * of_y, b1 * of_x + b2 * of_y
    low = family.bound == "y low"
    bound = source.randint(1, of_y) if low else source.randint(of_x, 2 * of_x)
    source.shuffle(clauses)
    said = " ".join([source.choice(family.openings[held_out]), *clauses]).format(
        x=x, y=y, a1=a1, a2=a2, b1=b1, b2=b2, c1=c1, c2=c2, A=first, B=second, u=bound
    )
    program = {
        family.sense: {x: c1, y: c2},
        "constraints": [{x: a1, y: a2, family.limits[0]: first}, {x: b1, y: b2, family.limits[1]: second}],
        "bounds": {y: [bound, None]} if low else {x: [0, bound]},
    }
    return generating.asked(QUESTION, said, program)


def _values(family: Family, clause: str, thing: str) -> range | None:
    """What a thing can have of what a sentence speaks of; None where any number will do."""
    return next((of[thing] for word, of in family.known.items() if word in clause.lower()), None)


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    for name, count, held_out in (("train", TRAIN_ROWS, 0), ("test", TEST_ROWS, 1)):
        draw = partial(row, source, held_out)
        generating.write_rows(folder / f"{name}.jsonl", generating.distinct(count, draw, generating.prompt_of))


if __name__ == "__main__":
    generating.run(write, __file__)
