"""Write the case's sample data: steps of a synthesis in words, and the JSON record that belongs to each.

    python -m control_plane.cases.reaction_steps.generate [FOLDER]

The same seed gives the same bytes. A starting material is built from a residue and the group that reacts, so that the
product follows from both by rule. Training and test rows use other sentences and other residues: no starting material
of one part occurs in the other. All residues leave the reagents alone.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from control_plane.cases import generating

SEED = 20260102
TRAIN_ROWS = 360
TEST_ROWS = 64

# residues that a group is written behind: (training, test); each ends at the atom that carries the group
ARYLS = (
    (
        "c1ccc(cc1)", "Cc1ccc(cc1)", "COc1ccc(cc1)", "Fc1ccc(cc1)", "Cc1cccc(c1)", "COc1cccc(c1)", "Fc1cccc(c1)",
        "CC(C)(C)c1ccc(cc1)", "CCc1ccc(cc1)", "COc1ccc(cc1OC)", "Cc1ccc(cc1C)", "FC(F)(F)c1cccc(c1)",
    ),
    ("CC(C)c1ccc(cc1)", "FC(F)(F)c1ccc(cc1)", "CCOc1ccc(cc1)", "CCc1cccc(c1)", "Cc1cc(cc(c1)C)", "Fc1ccc(cc1F)"),
)  # fmt: skip
ALKYLS = (
    ("CCCC", "CCCCCC", "CC(C)C", "C1CCCCC1", "c1ccc(cc1)C", "c1ccc(cc1)CC", "COc1ccc(cc1)CC", "CCCCCCCC", "C1CCCC1C"),
    ("CCCCC", "CC(C)CC", "C1CCCCC1C", "Cc1ccc(cc1)CC", "CCCCCCC", "C1CCCC1CC"),
)
# residues that are written behind a group: rings have the number 2
SECOND_ARYLS = (
    ("c2ccccc2", "c2ccc(C)cc2", "c2ccc(OC)cc2", "c2ccc(F)cc2", "c2cccc(C)c2", "c2cccc(OC)c2"),
    ("c2ccc(CC)cc2", "c2cccc(F)c2", "c2ccc(C(C)C)cc2"),
)
SECOND_ALKYLS = (
    ("CC", "CCC", "CC(C)C", "CCCC", "Cc2ccccc2", "CCc2ccccc2", "CCCCCC"),
    ("CCCCC", "CCC(C)C", "Cc2ccc(C)cc2", "CC2CCCCC2"),
)
ANY, SECOND_ANY = "any", "second any"
RESIDUES = {
    "aryl": ARYLS,
    "alkyl": ALKYLS,
    ANY: tuple(ARYLS[part] + ALKYLS[part] for part in (0, 1)),
    "second aryl": SECOND_ARYLS,
    "second alkyl": SECOND_ALKYLS,
    SECOND_ANY: tuple(SECOND_ARYLS[part] + SECOND_ALKYLS[part] for part in (0, 1)),
}


@dataclass(frozen=True)
class Reaction:
    """A kind of step: {a} is the first residue, {b} the second."""

    name: str
    start: str  # what the starting material is called
    educt: str
    first: str
    product: str
    ways: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]  # reagents, solvent, temperatures that go together
    hours: tuple[int, ...]
    partner: str = ""  # what the other carbon part is called, its SMILES and its residue
    other: str = ""
    second: str = ""


COLD, COOL = ("-78 °C", "0 °C"), ("0 °C", "25 °C")
REACTIONS = (
    Reaction(
        "Suzuki coupling", "aryl bromide", "{a}Br", "aryl", "{a}{b}",
        (
            (("Pd(PPh3)4", "K2CO3"), "dioxane/water", ("80 °C", "90 °C")),
            (("Pd(dppf)Cl2", "Cs2CO3"), "dioxane/water", ("80 °C", "90 °C")),
            (("Pd(PPh3)4", "Na2CO3"), "DME/water", ("80 °C",)),
        ),
        (6, 12, 16), "boronic acid", "OB(O){b}", "second aryl",
    ),
    Reaction(
        "Sonogashira coupling", "aryl iodide", "{a}I", "aryl", "{a}C#C{b}",
        (
            (("Pd(PPh3)2Cl2", "CuI", "Et3N"), "THF", ("25 °C", "50 °C")),
            (("Pd(PPh3)4", "CuI", "i-Pr2NH"), "DMF", ("25 °C", "50 °C")),
        ),
        (4, 8, 12), "alkyne", "C#C{b}", SECOND_ANY,
    ),
    Reaction(
        "Fischer esterification", "carboxylic acid", "{a}C(=O)O", ANY, "{a}C(=O)O{b}",
        ((("H2SO4",), "toluene", ("110 °C",)), (("p-TsOH",), "toluene", ("110 °C",))),
        (4, 8, 16), "alcohol", "O{b}", "second alkyl",
    ),
    Reaction(
        "amide coupling", "carboxylic acid", "{a}C(=O)O", ANY, "{a}C(=O)N{b}",
        ((("HATU", "DIPEA"), "DMF", ("25 °C",)), (("EDC", "HOBt", "Et3N"), "dichloromethane", ("25 °C",))),
        (2, 4, 16), "amine", "N{b}", SECOND_ANY,
    ),
    Reaction(
        "Boc protection", "amine", "{a}CN", ANY, "{a}CNC(=O)OC(C)(C)C",
        ((("Boc2O", "Et3N"), "dichloromethane", COOL), (("Boc2O", "NaOH"), "THF/water", COOL)), (2, 4, 16),
    ),
    Reaction(
        "TBS protection", "alcohol", "{a}CO", ANY, "{a}CO[Si](C)(C)C(C)(C)C",
        ((("TBSCl", "imidazole"), "DMF", COOL), (("TBSCl", "imidazole"), "dichloromethane", COOL)), (2, 4, 16),
    ),
    Reaction(
        "Grignard addition", "aldehyde", "{a}C=O", ANY, "{a}C(O){b}",
        ((("RMgBr",), "THF", COLD), (("RMgBr",), "diethyl ether", COLD)), (1, 2, 3),
        "Grignard reagent", "Br[Mg]{b}", SECOND_ANY,
    ),
    Reaction(
        "Wittig olefination", "aldehyde", "{a}C=O", ANY, "{a}C=C",
        ((("MePPh3Br", "n-BuLi"), "THF", COLD), (("MePPh3Br", "KOt-Bu"), "THF", ("0 °C",))), (2, 4, 12),
    ),
    Reaction(
        "reductive amination", "aldehyde", "{a}C=O", ANY, "{a}CN{b}",
        ((("NaBH(OAc)3", "AcOH"), "dichloroethane", ("25 °C",)), (("NaBH3CN", "AcOH"), "methanol", ("25 °C",))),
        (4, 12, 16), "amine", "N{b}", SECOND_ANY,
    ),
    Reaction(
        "Dess-Martin oxidation", "alcohol", "{a}CO", ANY, "{a}C=O",
        (
            (("Dess-Martin periodinane", "NaHCO3"), "dichloromethane", COOL),
            (("Dess-Martin periodinane",), "dichloromethane", COOL),
        ),
        (1, 2, 3),
    ),
    Reaction(
        "Swern oxidation", "alcohol", "{a}CO", ANY, "{a}C=O",
        ((("(COCl)2", "DMSO", "Et3N"), "dichloromethane", ("-78 °C",)),), (1, 2, 3),
    ),
    Reaction(
        "borohydride reduction", "aldehyde", "{a}C=O", ANY, "{a}CO",
        ((("NaBH4",), "methanol", COOL), (("NaBH4",), "ethanol", COOL)), (1, 2, 3),
    ),
    Reaction(
        "hydrogenation", "alkene", "{a}C=C", ANY, "{a}CC",
        tuple((("H2", "Pd/C"), solvent, ("25 °C",)) for solvent in ("ethanol", "ethyl acetate", "methanol")),
        (2, 4, 16),
    ),
    Reaction(
        "Williamson ether synthesis", "phenol", "{a}O", "aryl", "{a}O{b}",
        ((("K2CO3",), "acetone", ("56 °C",)), (("Cs2CO3",), "DMF", ("60 °C",))), (4, 8, 16),
        "alkyl bromide", "Br{b}", "second alkyl",
    ),
)  # fmt: skip

# sentences: {start} and {educt}, {partner} (" and the amine NCC", may be empty), {reagents}, {solvent}, {hours} …
SENTENCES = (
    (
        "We stirred the {start} {educt}{partner} with {reagents} in {solvent} at {temperature} for {hours} h.",
        "To the {start} {educt}{partner} in {solvent} we added {reagents} and kept the mixture at {temperature} for "
        "{hours} h.",
        "{start_} {educt}{partner}; {reagents}, {solvent}, {temperature}, {hours} h.",
        "We treated the {start} {educt}{partner} with {reagents} in {solvent} at {temperature}. After {hours} h TLC "
        "showed full conversion.",
        "A solution of the {start} {educt}{partner} in {solvent} was brought to {temperature}; after addition of "
        "{reagents} it was stirred for {hours} h.",
    ),
    (
        "Into a flask with the {start} {educt}{partner} in {solvent} we gave {reagents} at {temperature}. Work-up "
        "followed {hours} h later.",
        "Next step: the {start} {educt}{partner} goes into {solvent} with {reagents}. Hold {temperature} for "
        "{hours} h.",
        "Using {reagents} in {solvent}, full conversion of the {start} {educt}{partner} took {hours} h at "
        "{temperature}.",
    ),
)
QUESTION = "Write this reaction step as a JSON record: "


@dataclass(frozen=True)
class Step:
    """A step with everything that its row is made from."""

    reaction: Reaction
    held_out: int
    a: str
    b: str
    reagents: tuple[str, ...]
    solvent: str
    temperature: str
    hours: int
    sentence: int

    def smiles(self, pattern: str) -> str:
        """A SMILES of the reaction with this step's residues."""
        return pattern.format(a=self.a, b=self.b)

    @property
    def educts(self) -> list[str]:
        """The SMILES of what goes into the product."""
        patterns = [self.reaction.educt, self.reaction.other]
        return [self.smiles(pattern) for pattern in patterns if pattern]

    @property
    def product(self) -> str:
        """The SMILES of the product."""
        return self.smiles(self.reaction.product)


def choose(source: random.Random, held_out: int, reaction: Reaction) -> Step:
    """One step of a reaction."""
    a = source.choice(RESIDUES[reaction.first][held_out])
    b = source.choice(RESIDUES[reaction.second][held_out]) if reaction.second else ""
    reagents, solvent, temperatures = source.choice(reaction.ways)
    temperature, hours = source.choice(temperatures), source.choice(reaction.hours)
    sentence = source.choice(range(len(SENTENCES[held_out])))
    return Step(reaction, held_out, a, b, reagents, solvent, temperature, hours, sentence)


def row(step: Step) -> dict[str, str]:
    """The step in words and its record."""
    reaction = step.reaction
    reagents = _joined([one for one in step.reagents if one != "RMgBr"]) or "the Grignard reagent"
    partner = f" and the {reaction.partner} {step.smiles(reaction.other)}" if reaction.other else ""
    if reaction.name == "Grignard addition":  # its partner is its reagent
        reagents, partner = f"the {reaction.partner} {step.smiles(reaction.other)}", ""
    said = SENTENCES[step.held_out][step.sentence].format(
        start=reaction.start, start_=reaction.start.capitalize(), educt=step.smiles(reaction.educt), partner=partner,
        reagents=reagents, solvent=step.solvent, temperature=step.temperature,
        hours=step.hours,
    )  # fmt: skip
    named = [step.smiles(reaction.other) if one == "RMgBr" else one for one in step.reagents]
    record = {
        "named_reaction": reaction.name,
        "reagents": named,
        "conditions": f"{step.solvent}, {step.temperature}, {step.hours} h",
        "product_smiles": step.product,
    }
    return generating.asked(QUESTION, said, record)


def _joined(names: list[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def steps(source: random.Random, count: int, held_out: int, taken: set[str]) -> Iterator[Step]:
    """``count`` steps, no two with the same starting materials and reaction, and none with a product that is taken."""
    seen: set[tuple[str, ...]] = set()
    while len(seen) < count:
        reaction = REACTIONS[len(seen)] if len(seen) < len(REACTIONS) else source.choice(REACTIONS)  # each occurs
        step = choose(source, held_out, reaction)
        key = (step.reaction.name, *step.educts)
        if key in seen or step.product in taken:
            continue
        seen.add(key)
        yield step


def parts() -> dict[str, list[Step]]:
    """The steps of both parts."""
    source = random.Random(SEED)
    train = list(steps(source, TRAIN_ROWS, 0, set()))
    return {"train": train, "test": list(steps(source, TEST_ROWS, 1, {step.product for step in train}))}


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    for name, content in parts().items():
        generating.write_rows(folder / f"{name}.jsonl", map(row, content))


if __name__ == "__main__":
    generating.run(write, __file__)
