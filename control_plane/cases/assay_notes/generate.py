"""Write the case's sample data: notes on biochemical and cellular assays and the JSON record that belongs to each.

    python -m control_plane.cases.assay_notes.generate [FOLDER]

The same seed gives the same bytes. What training and test part share, and what not, says README.md.
"""

import random
from pathlib import Path

from control_plane.cases.generating import asked, distinct, prompt_of, run, write_rows

SEED = 20260301
TRAIN_ROWS = 320
TEST_ROWS = 64
QUESTION = "Turn this assay note into a JSON record: "

# target → the readouts by which it is measured in practice; (training, test part)
TARGETS = (
    {
        "EGFR": ("ADP-Glo", "TR-FRET", "SPR"),
        "JAK2": ("ADP-Glo", "TR-FRET"),
        "CDK4": ("ADP-Glo", "TR-FRET"),
        "mTOR": ("TR-FRET", "AlphaLISA"),
        "BRD4": ("AlphaLISA", "TR-FRET", "SPR", "DSF"),
        "MDM2": ("fluorescence polarization", "TR-FRET", "SPR"),
        "HDAC6": ("fluorogenic substrate",),
        "thrombin": ("fluorogenic substrate", "SPR"),
        "DPP-4": ("fluorogenic substrate",),
        "PARP1": ("fluorescence polarization", "AlphaLISA"),
        "hERG": ("patch clamp", "thallium flux"),
        "KRAS G12C": ("SPR", "DSF"),
        "HepG2 cells": ("CellTiter-Glo",),
        "A549 cells": ("CellTiter-Glo",),
    },
    {
        "AURKA": ("ADP-Glo", "TR-FRET"),
        "BTK": ("ADP-Glo", "SPR"),
        "BCL-2": ("fluorescence polarization", "AlphaLISA"),
        "factor Xa": ("fluorogenic substrate", "SPR"),
        "BACE1": ("fluorogenic substrate", "TR-FRET"),
        "Nav1.5": ("patch clamp",),
        "carbonic anhydrase II": ("DSF", "SPR"),
        "K562 cells": ("CellTiter-Glo",),
    },
)
# the company's own numbers for compounds
COMPOUNDS = (("TSM-", "NB-"), ("QX-", "LD-"))
# doses as they are plated: half-logarithmic steps in training, 1-2-5 steps in the test part
DOSES = (
    [
        *((1, "nM"), (3, "nM"), (10, "nM"), (30, "nM"), (100, "nM"), (300, "nM")),
        *((1, "µM"), (3, "µM"), (10, "µM"), (30, "µM"), (100, "µM"), (0.1, "mM"), (0.3, "mM")),
    ],
    [
        *((2, "nM"), (5, "nM"), (20, "nM"), (50, "nM"), (200, "nM"), (500, "nM")),
        *((2, "µM"), (5, "µM"), (20, "µM"), (50, "µM"), (0.2, "mM")),
    ],
)
SPELLED = {"nM": ("nM", "nanomolar"), "µM": ("µM", "uM", "micromolar"), "mM": ("mM",)}
HIGH = [(30, "µM"), (100, "µM"), (0.1, "mM"), (0.3, "mM"), (50, "µM"), (0.2, "mM")]  # where a compound may precipitate
NO_WELLS = ("SPR", "patch clamp")  # these have no plate whose edges or Z' would count
FLUORESCENT = ("TR-FRET", "fluorescence polarization", "fluorogenic substrate")
# outcome → (wordings in training, wordings in the test part)
OUTCOMES = {
    "active": (
        (
            "clear hit, well above the three-sigma cut-off",
            "active in all three replicates",
            "strong effect, reproduced on two days",
            "hit confirmed with fresh powder",
            "potent, effect beyond the reference compound",
        ),
        (
            "confirmed hit in both replicates",
            "clearly active, far above the cut-off",
            "strong effect, even above the control compound",
        ),
    ),
    "inactive": (
        (
            "no effect over DMSO",
            "inactive, same as vehicle",
            "nothing to see at this dose",
            "no response in any replicate",
            "flat signal, not active",
        ),
        (
            "no difference to the solvent control",
            "inactive, measured twice",
            "flat line, not a trace of activity",
        ),
    ),
    "inconclusive": (
        (
            "Z' only 0.3, plate has to be repeated",
            "replicates disagree, not conclusive",
            "compound precipitated, cannot be judged",
            "autofluorescent, result unclear",
            "edge effects, to be repeated",
        ),
        (
            "replicates scatter too much, unclear",
            "precipitate in the wells, must be repeated",
            "Z' of 0.2, no conclusion possible",
        ),
    ),
}
PATTERNS = (
    (
        "{compound} on {target}, {readout}, {dose}: {outcome}.",
        "{readout} with {target}: {compound} at {dose}, {outcome}.",
        "Tested {compound} at {dose} against {target} ({readout}). Result: {outcome}.",
        "{target} / {readout}. {compound}, {dose}. {Outcome}.",
        "Run 3, {target} by {readout}: {outcome} for {compound} at {dose}.",
        "Today ran {target} in the {readout} assay. {Outcome} ({compound}, {dose}).",
    ),
    (
        "We looked at {target} with {compound} using {readout}; at {dose}: {outcome}.",
        "{compound} at {dose}: {outcome}, in the {readout} assay for {target}.",
        "{Outcome}. This was {compound} at {dose}, target {target}, read by {readout}.",
        "Note for the project team: {readout}, {target}, {compound} dosed at {dose}, {outcome}.",
    ),
)


def can_be(wording: str, readout: str, dose: tuple[float, str]) -> bool:
    """Whether somebody at the bench could have written it: nothing precipitates at 1 nM, and SPR has no plate edge."""
    if "precipitat" in wording:
        return dose in HIGH
    if "fluorescent" in wording:
        return readout in FLUORESCENT
    return not any(word in wording for word in ("Z'", "edge", "wells")) or readout not in NO_WELLS


def row(source: random.Random, part: int) -> dict[str, str]:
    """A row of the training (0) or the test part (1)."""
    target = source.choice(list(TARGETS[part]))
    readout = source.choice(TARGETS[part][target])
    number = source.randrange(100 + (1 - part), 9999, 2)  # odd ones in training, even ones in the test part
    compound = f"{source.choice(COMPOUNDS[part])}{number:04}"
    dose = source.choice([one for one in DOSES[part] if readout != "DSF" or one in HIGH])  # it needs much compound
    value, unit = dose
    outcome = source.choice(list(OUTCOMES))
    wording = source.choice([one for one in OUTCOMES[outcome][part] if can_be(one, readout, dose)])
    note = source.choice(PATTERNS[part]).format(
        compound=compound,
        target=target,
        readout=readout,
        dose=f"{value} {source.choice(SPELLED[unit])}",
        outcome=wording,
        Outcome=wording[0].upper() + wording[1:],
    )
    record = {
        "target": target,
        "compound": compound,
        "concentration": value,
        "unit": unit,
        "readout": readout,
        "outcome": outcome,
    }
    return asked(QUESTION, note, record)


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder."""
    source = random.Random(SEED)
    for part, (name, count) in enumerate((("train", TRAIN_ROWS), ("test", TEST_ROWS))):
        write_rows(folder / f"{name}.jsonl", distinct(count, lambda part=part: row(source, part), prompt_of))


if __name__ == "__main__":
    run(write, __file__)
