"""The answers of the shipped cases under their own checks, and that chemistry, programs, queries and sums are right."""

from __future__ import annotations

import importlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import case_plans
import pytest
from case_plans import FOLDERS, rows
from kit import judging
from kit.checking import Case
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem

each_case = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
CASES = {folder.name: folder for folder in FOLDERS}
LOW = 0.5  # of what the right answer gets


def generator(name: str) -> Any:
    return importlib.import_module(f"control_plane.cases.{name}.generate")


def lists_of_checks(folder: Path) -> list[list[Mapping[str, Any]]]:
    """What a case measures by and what it rewards, each a list of checks."""
    given = [step.parameters for step in case_plans.read(folder).steps]
    return [one[key] for one in given for key in ("checks", "reward") if one.get(key)]


def skeleton(text: str) -> str:
    """An answer's form without its values; of what is no JSON its first word."""

    def emptied(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: emptied(one) for key, one in value.items()}
        return [emptied(one) for one in value] if isinstance(value, list) else type(value)() if value is not None else 0

    try:
        value = json.loads(text)
    except ValueError:
        return text.split(" ")[0]
    return json.dumps(emptied(value)) if isinstance(value, dict) else ""


@each_case
def test_each_right_answer_has_the_whole_score(folder: Path) -> None:
    for checks in lists_of_checks(folder):
        judged = judging.Judged(checks)
        for part in ("train", "test"):
            for row in rows(folder, f"{part}.jsonl"):
                judgement = judged.judge(row["completion"], Case(row["prompt"], row["completion"]))
                assert judgement.total == 1, (row, judgement)


@each_case
def test_an_empty_a_copied_and_a_skeleton_answer_score_low(folder: Path) -> None:
    for checks in lists_of_checks(folder):
        judged = judging.Judged(checks)
        for row in rows(folder, "test.jsonl"):
            for answer in ("", "{}", row["prompt"], skeleton(row["completion"])):
                total = judged.judge(answer, Case(row["prompt"], row["completion"])).total
                assert total < LOW, (answer, row)


# ---- total synthesis

RULES = {
    "Suzuki coupling": "[c:1]Br.[c:2]B(O)O>>[c:1][c:2]",
    "Sonogashira coupling": "[c:1]I.[C:2]#[CH1:3]>>[c:1][C:3]#[C:2]",
    "Fischer esterification": "[C:1](=[O:2])[OX2H1].[OX2H1:3][CX4:4]>>[C:1](=[O:2])[O:3][C:4]",
    "amide coupling": "[C:1](=[O:2])[OX2H1].[NH2:3]>>[C:1](=[O:2])[NH:3]",
    "Boc protection": "[CH2:1][NH2:2]>>[C:1][NH:2]C(=O)OC(C)(C)C",
    "TBS protection": "[CH2:1][OX2H1:2]>>[C:1][O:2][Si](C)(C)C(C)(C)C",
    "Grignard addition": "[CH1:1]=[O:2].Br[Mg][#6:3]>>[CH1:1]([OH:2])[#6:3]",
    "Wittig olefination": "[CH1:1]=O>>[CH1:1]=[CH2]",
    "reductive amination": "[CH1:1]=O.[NH2:2]>>[CH2:1][NH:2]",
    "Dess-Martin oxidation": "[CH2:1][OX2H1:2]>>[CH1:1]=[O:2]",
    "Swern oxidation": "[CH2:1][OX2H1:2]>>[CH1:1]=[O:2]",
    "borohydride reduction": "[CH1:1]=[O:2]>>[CH2:1][OH:2]",
    "hydrogenation": "[CH1:1]=[CH2:2]>>[CH2:1][CH3:2]",
    "Williamson ether synthesis": "[c:1][OX2H1:2].Br[CX4:3]>>[c:1][O:2][C:3]",
}


def canonical(smiles: str) -> str:
    molecule = Chem.MolFromSmiles(smiles)
    assert molecule is not None, smiles
    return str(Chem.MolToSmiles(molecule))


def test_each_product_is_what_the_reaction_makes_of_its_starting_materials() -> None:
    """RDKit carries each reaction out by a rule of its own; there is one product, and it is the record's."""
    RDLogger.DisableLog("rdApp.*")
    steps = [step for part in generator("reaction_steps").parts().values() for step in part]
    assert {step.reaction.name for step in steps} == set(RULES)
    for step in steps:
        rule = AllChem.ReactionFromSmarts(RULES[step.reaction.name])
        made = rule.RunReactants([Chem.MolFromSmiles(one) for one in step.educts])
        products = {canonical(Chem.MolToSmiles(one)) for (one,) in made}
        assert products == {canonical(step.product)}, (step.reaction.name, step.educts)


def test_no_product_and_no_starting_material_is_in_both_parts() -> None:
    """Partners of few carbon atoms (ethanol, say) may be; what a molecule is built on is not."""
    parts = generator("reaction_steps").parts()
    for of in (lambda step: step.product, lambda step: step.educts[0]):
        train, test = ({canonical(of(step)) for step in parts[name]} for name in ("train", "test"))
        assert not train & test
    counted = Counter(step.reaction.name for step in parts["test"])
    assert set(counted) == set(RULES)


# ---- mathematical programming


def test_a_wrong_number_in_a_program_is_noticed() -> None:
    """Except in limits that do not matter to any plan, which are a few."""
    judged = judging.Judged([{"check": "linear_program", "parameters": {"strict": True}}])
    wrong, noticed = 0, 0
    for row in rows(CASES["planning_problems"], "test.jsonl"):
        program = json.loads(row["completion"])
        sense = next(name for name in ("maximize", "minimize") if name in program)
        for table in (program[sense], *program["constraints"]):
            for name, value in table.items():
                table[name] = 2 * value + 1
                wrong += 1
                noticed += judged.judge(json.dumps(program), Case("", row["completion"])).total == 0
                table[name] = value
    assert noticed > 0.9 * wrong > 300


def test_each_number_of_a_program_stands_in_its_problem() -> None:
    for part in ("train", "test"):
        for row in rows(CASES["planning_problems"], f"{part}.jsonl"):
            program = json.loads(row["completion"])
            tables = [*program["constraints"], *(program[name] for name in ("maximize", "minimize") if name in program)]
            values = {value for table in tables for value in table.values()}
            values |= {one for pair in program["bounds"].values() for one in pair if one}
            said = row["prompt"].replace(",", " ").replace(".", " ").replace(";", " ").replace("(", " ").split()
            assert {str(value) for value in values - {1}} <= set(said), row  # 1 is a hectare's share of the land


POSSIBLE = {  # wider than what the generator draws from: kg a MWh, g a kilogram
    "MWh": {
        "coal": (750, 1100), "oil": (550, 900), "gas": (300, 550), "waste": (300, 800), "wood": (50, 420),
        "solar": (15, 80), "geothermal": (5, 120), "wind": (5, 30), "water": (1, 60), "nuclear": (3, 30),
    },
    "protein": {"soy": (380, 520), "straw": (20, 60), "carrots": (5, 15)},
    "fibre": {"straw": (330, 480), "corn": (15, 40)},
    "starch": {"barley": (450, 620), "oats": (300, 480)},
    "sugar": {"barley": (10, 40), "beans": (20, 60)},
    "lysine": {"barley": (2, 6), "peas": (12, 20)},
}  # fmt: skip


def test_numbers_of_power_and_feed_are_possible_for_what_they_are_said_of() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for part in ("train", "test"):
        for row in rows(CASES["planning_problems"], f"{part}.jsonl"):
            first, second = json.loads(row["completion"])["constraints"]
            for word, of in POSSIBLE.items():
                table = first if word in ("protein", "starch", "sugar") else second
                for thing in [
                    name for name in table if name in of and word in row["prompt"].replace("Starch", "starch")
                ]:
                    low, high = of[thing]
                    assert low <= table[thing] <= high, (thing, row)
                    seen[word, thing] += 1
    assert set(seen) == {(word, thing) for word, of in POSSIBLE.items() for thing in of}


PLURALS = r"(?<! of) (beans|peas|oats|carrots|potatoes|onions|grapes)"  # "a hectare of beans needs" is right


def test_a_problem_is_said_in_good_grammar() -> None:
    for part in ("train", "test"):
        for row in rows(CASES["planning_problems"], f"{part}.jsonl"):
            assert not re.search(PLURALS + r" (gives|needs)\b", row["prompt"]), row


# ---- databases


def test_the_case_asks_its_check_for_the_tables_that_the_rows_are_made_for() -> None:
    (evaluate,) = case_plans.read(CASES["sql_questions"]).of_kind("evaluate")
    assert evaluate.parameters["checks"][0]["parameters"]["tables"] == generator("sql_questions").tables()


def test_every_question_has_an_answer_and_no_other_query_gives_it() -> None:
    made = generator("sql_questions")
    database = sqlite3.connect(":memory:")
    database.executescript(made.tables())
    answers: dict[Any, str] = {}
    for part in (0, 1):
        for row in made.every(part):
            found = tuple(sorted(database.execute(row["completion"]).fetchall(), key=repr))
            assert found and found not in (((None,),), ((0,),)), row
            if part == 1:
                assert answers.setdefault(found, row["completion"]) == row["completion"]
    assert len(answers) > 40


def test_a_question_about_every_customer_also_tells_of_those_without_orders() -> None:
    made = generator("sql_questions")
    database = sqlite3.connect(":memory:")
    database.executescript(made.tables())
    (kind,) = (one for one in made.KINDS if "customer from {town}" in one.wordings[0][0])
    without = 0
    for town in (town for part in made.TOWNS for town in part):
        told = database.execute(kind.sql.format(town=town)).fetchall()
        living = database.execute("SELECT count(*) FROM customers WHERE town = ?", (town,)).fetchone()
        assert (len(told),) == living, town
        without += sum(count == 0 for _, count in told)
    assert without > 5


def test_questions_of_the_parts_differ_in_wording_and_in_value() -> None:
    kinds = generator("sql_questions").KINDS
    for kind in kinds:
        assert not set(kind.wordings[0]) & set(kind.wordings[1])
    queries = [
        {row["completion"] for row in rows(CASES["sql_questions"], f"{part}.jsonl")} for part in ("train", "test")
    ]
    assert not queries[0] & queries[1]


# ---- schools and study


def test_each_problem_is_said_with_its_numbers_in_each_language() -> None:
    made = generator("grade_school")
    for part, count in (("train", made.TRAIN_ROWS), ("test", made.TEST_ROWS)):
        english = rows(CASES["grade_school"], f"{part}.jsonl")
        assert len(english) == count
        for locale in ("de", "zh"):
            said = rows(CASES["grade_school"], f"{part}.{locale}.jsonl")
            for one, other in zip(english, said, strict=True):
                assert one["completion"] == other["completion"]
                numbers = [Counter(re.findall(r"\d+", text["prompt"])) for text in (one, other)]
                assert numbers[0] == numbers[1], (one, other)


def test_each_sum_is_right() -> None:
    """By words that every problem of a kind has, whatever its sentence."""
    words = (
        (r"more|together|in all", lambda a, b: a + b),
        (r"left|remain|still", lambda a, b: a - b),
        (r"bags with|box holds|rows of", lambda a, b: a * b),
        (r"equally|same number|fairly", lambda a, b: max(a, b) // min(a, b)),
    )
    for part in ("train", "test"):
        for row in rows(CASES["grade_school"], f"{part}.jsonl"):
            a, b = map(int, re.findall(r"\d+", row["prompt"]))
            (right,) = [sum_of(a, b) for word, sum_of in words if re.search(word, row["prompt"])]
            calculation, number = row["completion"].split(" = ")
            assert int(number) == right == eval(calculation) and right not in (a, b), row
