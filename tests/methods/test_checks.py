"""The catalogue of checks: each score, what is refused, and that no answer whatever takes one out of its range."""

import ast
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import checking, judging, units
from kit.checking import Case, Found
from kit.checks import edit_similarity, rouge_l
from kit.events import Refusal

from method_support import METHODS
from patience import PATIENCE

CATALOGUE = judging.catalogue()
SCHEMA = {"type": "object", "required": ["thing", "colour"], "additionalProperties": False,
          "properties": {"thing": {"type": "string"}, "colour": {"enum": ["red", "blue"]}}}  # fmt: skip
TABLES = "CREATE TABLE part (name TEXT, price REAL); INSERT INTO part VALUES ('bolt', 1), ('nut', 2), ('cap', 3);"
EXAMPLES: dict[str, dict[str, Any]] = {
    "json_schema": {"schema": SCHEMA}, "field_equals": {"field": "thing"}, "field_near": {"field": "n", "tolerance": 2},
    "field_in_set": {"field": "thing", "values": ["door"]}, "regex": {"pattern": "(a+)+$"},
    "contains": {"texts": ["a"]}, "must_not_contain": {"texts": ["a"]}, "sql_equivalent": {"tables": TABLES},
}  # fmt: skip
QUANTITY = {"number_field": "c", "unit_field": "u"}
ESTER = "CCOC(C)=O"
PROGRAM = {"maximize": {"table": 50, "chair": 30}, "bounds": {"table": [0, 40]},
           "constraints": [{"table": 4, "chair": 3, "at_most": 240},
                           {"table": 2, "chair": 1, "at_most": 100}]}  # fmt: skip
LINEAR = json.dumps(PROGRAM)  # its optimum: 30 tables and 40 chairs, 2700
RED = '{"thing": "door", "colour": "red"}'
NAMES = sorted(path.stem for path in (METHODS / "kit" / "checks").glob("*.py"))


def found(name: str, answer: str, expected: str = "", /, **parameters: Any) -> Found:
    judged = judging.Judged([{"check": name, "parameters": EXAMPLES.get(name, {}) | parameters}])
    return judged.judge(answer, Case("", expected, json.dumps(SCHEMA))).found[name]


def score(name: str, answer: str, expected: str = "", /, **parameters: Any) -> float:
    return round(found(name, answer, expected, **parameters).score, 3)


def test_each_file_is_in_the_catalogue_and_each_reason_has_a_sentence() -> None:
    assert sorted(CATALOGUE["checks"]) == NAMES
    said = set()
    for path in (METHODS / "kit" / "checks").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "found":
                choices = (
                    [call.args[1].body, call.args[1].orelse] if isinstance(call.args[1], ast.IfExp) else [call.args[1]]
                )
                for reason in map(ast.literal_eval, choices):
                    said.add(reason)
                    params = {str(one.arg) for one in call.keywords}
                    for sentence in CATALOGUE["reasons"][reason].values():
                        sentence.format(**dict.fromkeys(params, "x"))
    assert said == set(CATALOGUE["reasons"])


def test_a_row_s_own_schema_is_followed_and_has_to_be_there() -> None:
    judged = judging.Judged([{"check": "row_schema"}])
    totals = [judged.judge(RED, Case(schema=json.dumps(one))).total for one in (SCHEMA, {"required": ["price"]})]
    assert totals[0] == 1 > totals[1]
    for case, code in ((Case(), "row_schema_missing"), (Case(schema='{"type": "thing"}'), "schema_invalid")):
        with pytest.raises(Refusal) as refused:
            judged.judge(RED, case)
        assert refused.value.code == code


def test_each_text_of_the_catalogue_is_there_in_three_languages() -> None:
    texts = [*CATALOGUE["reasons"].values()]
    for check in CATALOGUE["checks"].values():
        texts += [check["display"], check["description"]]
        texts += [one[name] for one in check["parameters"].values() for name in ("title", "description")]
    for text in texts:
        assert set(text) == {"en", "de", "zh"} and all(text.values()), text


@pytest.mark.parametrize(
    ("name", "answer", "expected", "parameters", "wanted"),
    [
        ("json_valid", RED, "", {}, 1),
        ("json_valid", f"Here: {RED}", "", {}, 0.5),
        ("json_valid", f"Here: {RED}", "", {"strict": True}, 0),
        ("json_valid", '{"thing": ', "", {}, 0.1),
        ("json_schema", RED, "", {}, 1),
        ("json_schema", '{"thing": "door", "colour": "green"}', "", {}, 0.833),
        ("json_schema", '{"thing": "door"}', "", {}, 0.833),
        ("json_schema", '{"thing": "door"}', "", {"strict": True}, 0),
        ("json_schema", '{"x": 1}', "", {}, 0.5),
        ("json_schema", f"Sure: {RED}", "", {}, 0.5),
        ("json_schema", '"thing" is door', "", {}, 0.042),
        ("json_schema", "no idea", "", {}, 0),
        ("json_schema", '{"a": "xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}', "",
         {"schema": {"properties": {"a": {"pattern": "(a|a)*$$b"}}}}, 0.75),
        ("json_schema", "{}", "", {"schema": {"$ref": "https://example.com/away"}}, 0.5),
        ("json_fields", RED, '{"colour": "red", "thing": "lamp"}', {}, 0.5),
        ("json_fields", RED, '{"colour": "red", "thing": "lamp"}', {"fields": ["colour"]}, 1),
        ("json_fields", '{"a": 1, "b": 2}', '{"a": 1}', {}, 0.5),
        ("json_fields", '{"a": true}', '{"a": 1}', {}, 0),
        ("json_fields", f"Sure: {RED}", RED, {}, 0.5),
        ("json_fields", f"Sure: {RED}", RED, {"strict": True}, 0),
        ("json_fields", RED, "no JSON", {}, 0),
        ("field_equals", RED, RED, {}, 1),
        ("field_equals", RED, "", {"value": "door"}, 1),
        ("field_equals", RED, "", {"value": "lamp"}, 0),
        ("field_equals", '{"a": [{"b": 3}]}', "", {"field": "a.0.b", "value": "3"}, 1),
        ("field_near", '{"n": 11}', '{"n": 10}', {}, 1),
        ("field_near", '{"n": "13"}', '{"n": 10}', {}, 0.5),
        ("field_near", '{"n": 1e999}', '{"n": 10}', {}, 0),
        ("field_near", '{"n": 5}', "", {"value": 5.0, "tolerance": 0}, 1),
        ("fields_near", '{"n": 10.05, "colour": "red"}', '{"n": 10, "colour": "red"}', {}, 1),
        ("fields_near", '{"n": 10.2, "colour": "red"}', '{"n": 10, "colour": "red"}', {}, 0.5),
        ("fields_near", '{"n": 10, "more": 1}', '{"n": 10}', {}, 0.5),
        ("fields_near", '{"n": true}', '{"n": 1}', {}, 0),
        ("fields_near", '{"n": [1, 2]}', '{"n": [1, 2]}', {}, 1),
        ("fields_near", '{"n": 0}', '{"n": 0.0}', {"tolerance": 0}, 1),
        ("fields_near", '[{"n": 0}]', '{"n": 0}', {}, 0),
        ("fields_near", 'so: {"n": 0}', '{"n": 0}', {}, 0),
        ("fields_near", '{"n": 0}', "no", {}, 0),
        ("fields_near", '{"c": 250, "u": "nM"}', '{"c": 0.25, "u": "µM"}', QUANTITY, 1),
        ("fields_near", '{"c": 250, "u": "uM"}', '{"c": 250, "u": "µM"}', QUANTITY, 1),
        ("fields_near", '{"c": 250, "u": "µM"}', '{"c": 250, "u": "nM"}', QUANTITY, 0),
        ("fields_near", '{"c": 5, "u": "mg/mL"}', '{"c": 5, "u": "mM"}', QUANTITY, 0),  # mass is no amount
        ("fields_near", '{"c": 850, "u": "°C"}', '{"c": 1123.15, "u": "K"}', QUANTITY, 1),
        ("fields_near", '{"c": 5, "u": "spoons"}', '{"c": 5, "u": "spoons"}', QUANTITY, 1),
        ("fields_near", '{"c": 5, "u": "spoons"}', '{"c": 5, "u": "µM"}', QUANTITY, 0),
        ("fields_near", '{"c": 1e999, "u": "M"}', '{"c": 5, "u": "M"}', QUANTITY, 0),
        ("fields_near", '{"c": 5}', '{"c": 5, "u": "M"}', QUANTITY, 0),
        ("field_in_set", RED, "", {}, 1),
        ("field_in_set", RED, "", {"values": ["lamp"]}, 0),
        ("regex", "Order 12", "", {"pattern": "order [0-9]+", "ignore_case": True, "whole": True}, 1),
        ("regex", "My order 12", "", {"pattern": "order [0-9]+", "whole": True}, 0),
        ("contains", "Red door", "", {"texts": ["red", "lamp"]}, 0.5),
        ("must_not_contain", "Red door", "", {"texts": ["red", "lamp"]}, 0.5),
        ("equals", '{"b": 1, "a": 2}', '{"a": 2, "b": 1}', {}, 1),
        ("equals", "Yes", "yes", {}, 0),
        ("equals", "Yes", "yes", {"ignore_case": True}, 1),
        ("token_f1", "the red door", "door red", {}, 0.8),
        ("token_f1", "门是红的", "红的门", {}, 0.857),
        ("token_f1", "", "", {}, 1),
        ("rouge_l", "the red door", "door red", {}, 0.4),
        ("edit_similarity", "kitten", "sitting", {}, 0.571),
        ("final_number", "12 and 30, so it is 1,042.", "#### 1042", {}, 1),
        ("final_number", "it is −3.5", "", {"value": -3.5}, 1),
        ("final_number", "in 2020 300 were sold", "", {"value": 300}, 1),
        ("final_number", "none", "5", {}, 0),
        ("sql_equivalent", "SELECT name FROM part WHERE price >= 2", "SELECT name FROM part WHERE price > 1", {}, 1),
        ("sql_equivalent", "```sql\nSELECT name FROM part\n```", "SELECT name FROM part ORDER BY 1", {}, 1),
        ("sql_equivalent", "SELECT name FROM part", "SELECT name FROM part ORDER BY 1", {"ordered": True}, 0.8),
        ("sql_equivalent", "SELECT 1", "SELECT name FROM part", {}, 0.2),
        ("sql_equivalent", "SELECT nothing", "SELECT name FROM part", {}, 0),
        ("smiles_equal", "CC(=O)OCC", ESTER, {}, 1),
        ("smiles_equal", "CC(=O)OCC", ESTER, {"strict": True}, 1),
        ("smiles_equal", "CC(C)OC=O", ESTER, {"strict": True}, 0),
        ("smiles_equal", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", {"strict": True}, 0),
        ("smiles_equal", '{"product": "CC(=O)OCC"}', '{"product": "CCOC(C)=O"}', {"field": "product"}, 1),
        ("smiles_equal", '{"product": 3}', '{"product": "CCOC(C)=O"}', {"field": "product"}, 0),
        ("smiles_equal", "CCO", "no molecule", {}, 0),
        ("smiles_equal", "", ESTER, {}, 0),
        ("linear_program", LINEAR, LINEAR, {}, 1),
        ("linear_program", LINEAR, LINEAR, {"strict": True}, 1),
        ("linear_program", f"So: {LINEAR}", LINEAR, {}, 0.5),
        ("linear_program", f"So: {LINEAR}", LINEAR, {"strict": True}, 0),
        ("linear_program", LINEAR.replace("240", "230"), LINEAR, {}, 0.6),
        ("linear_program", LINEAR.replace("240", "230"), LINEAR, {"strict": True}, 0),
        ("linear_program", LINEAR.replace("240", "230"), LINEAR, {"tolerance": 60}, 1),
        ("linear_program", LINEAR.replace("[0, 40]", "[0, 35]"), LINEAR, {}, 0.965),  # that bound does not bind
        ("linear_program", LINEAR.replace("[0, 40]", "[0, 35]"), LINEAR, {"strict": True}, 0),
        ("linear_program", LINEAR.replace("maximize", "minimize"), LINEAR, {}, 0.5),
        ("linear_program", LINEAR.replace("table", "desk"), LINEAR, {}, 0.5),
        ("linear_program", LINEAR.replace("[0, 40]", "[50, 40]"), LINEAR, {}, 0.5),
        ("linear_program", '{"maximize": {"table": 50, "chair": 30}, "constraints": []}', LINEAR, {}, 0.5),
        ("linear_program", '{"maximize": {"table": 0, "chair": 0}, "constraints": []}', LINEAR, {}, 0.4),  # constant
        ("linear_program", '{"maximize": {"table": 1}, "constraints": [{"chair": 1, "at_most": 1}]}', LINEAR, {}, 0.4),
        ("linear_program", '{"maximize": {"table": 1}, "constraints": [{"table": 1}]}', LINEAR, {}, 0.1),
        ("linear_program", "{}", LINEAR, {}, 0.1),
        ("linear_program", "[1]", LINEAR, {}, 0),
        ("linear_program", LINEAR, "{}", {}, 0),
        ("length", "one two three", "", {"maximum": 2}, 0.5),
        ("length", "one two three", "", {"minimum": 6}, 0.5),
        ("length", "abc", "", {"maximum": 3, "unit": "characters"}, 1),
        ("repetition", "a b c a b c a b c", "", {}, 0.429),
        ("repetition", "a b", "", {}, 1),
        ("language", "The house is on the hill and the door is open.", "", {"language": "en"}, 1),
        ("language", "Das Haus ist auf dem Hügel und die Tür ist offen.", "", {"language": "de"}, 1),
        ("language", "Das Haus ist auf dem Hügel und die Tür ist offen.", "", {"language": "ru"}, 0),
        ("language", "这扇门是红色的。", "", {"language": "zh"}, 1),
        ("language", "このドアは赤いです。", "", {"language": "zh"}, 0),
        ("language", "このドアは赤いです。", "", {"language": "ja"}, 1),
        ("language", "123", "", {"language": "en"}, 0),
    ],
)  # fmt: skip
def test_a_check_scores(name: str, answer: str, expected: str, parameters: dict[str, Any], wanted: float) -> None:
    assert score(name, answer, expected, **parameters) == wanted


def test_another_language_scores_less() -> None:
    german = "Das Haus ist auf dem Hügel und die Tür ist offen."
    assert score("language", german, language="en") < 0.5


@pytest.mark.parametrize("query", [
    "DELETE FROM part", "ATTACH ':memory:' AS other", "PRAGMA query_only = OFF", "DROP TABLE part",
    "CREATE TABLE x (y)",     "VACUUM INTO 'x.db'", "SELECT 1; SELECT 2", "SELECT load_extension('x')", "BEGIN", "",
])  # fmt: skip
def test_a_query_can_only_read(query: str) -> None:
    assert score("sql_equivalent", query, "SELECT count(*) FROM part") == 0
    assert score("sql_equivalent", "SELECT count(*) FROM part", "SELECT 3") == 1


@pytest.mark.parametrize("query", [
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "SELECT length(zeroblob(100000000))",
])  # fmt: skip
def test_a_query_without_end_is_stopped(query: str) -> None:
    assert found("sql_equivalent", query, "SELECT 1").reason == "query_fails"


def test_a_pattern_that_searches_for_ever_is_stopped() -> None:
    assert found("regex", "a" * 5000 + "!", pattern="(a|aa)+$").reason == "pattern_slow"


@pytest.mark.parametrize(
    "answer",
    [
        "C" * 10_000_000,
        "(" * 400,
        "C1CC2" * 80,
        "c1ccc2" * 66,
        "C%99" * 100,
        "C12345678C12345678",
        "[C@]([H])" * 44,
        "[U+1000000]",
        "CC.CC." * 66 + "C",
        "CCO |$_AV:1$|",
        "9" * 10_000,
        "C\0C",
        "\u0421\u0421O",  # Cyrillic letters that look like carbon
    ],
)
def test_a_hostile_molecule_costs_no_time_and_scores_little(answer: str) -> None:
    since = time.monotonic()
    assert score("smiles_equal", answer, ESTER) < 0.3
    assert score("smiles_equal", json.dumps({"product": answer}), '{"product": "CCOC(C)=O"}', field="product") < 0.3
    assert time.monotonic() - since < PATIENCE


WIDE = {"maximize": {f"x{place}": 1 for place in range(1_000_000)}, "constraints": []}
FULL = {"maximize": {f"x{place}": place % 7 for place in range(50)},
        "constraints": [{"x1": row, f"x{row % 50}": 1 + row % 5, "at_most": row} for row in range(100)]}  # fmt: skip


@pytest.mark.parametrize("answer", [
    json.dumps(WIDE), json.dumps(FULL), LINEAR + " " * 10_000_000, LINEAR.replace("240", "9" * 10_000),
    *(LINEAR.replace("240", one) for one in ("NaN", "Infinity", "1e400", "1e300", "-1e9", "true", '"240"', "null")),
    *(LINEAR.replace("[0, 40]", one) for one in ("[NaN, 40]", "[0]", "[40, 0]", '["0", 40]', "{}", "[null, -1e9]")),
    LINEAR.replace("{", "[", 2), json.dumps({"maximize": {"table": PROGRAM}, "constraints": []}),
    json.dumps(PROGRAM | {"minimize": {"table": 1}}), json.dumps(PROGRAM | {"bounds": {"": [0, 1]}}),
    json.dumps(PROGRAM | {"constraints": PROGRAM["constraints"] * 100}),
])  # fmt: skip
def test_a_hostile_program_costs_no_time_and_is_not_right(answer: str) -> None:
    since = time.monotonic()
    assert score("linear_program", answer, LINEAR) <= 0.6
    assert time.monotonic() - since < PATIENCE


PRICES = st.fixed_dictionaries({name: st.integers(1, 99) for name in ("wheat", "maize", "rye")})


@settings(max_examples=40)
@given(prices=PRICES, land=st.integers(1, 500), turned=st.booleans())
def test_the_order_and_the_spelling_of_a_program_do_not_matter(prices: dict[str, int], land: int, turned: bool) -> None:
    """All land for the dearest crop is the best that can be had; the same said as more than one row is the same."""
    plain = {"maximize": prices, "constraints": [dict.fromkeys(prices, 1) | {"at_most": land}]}
    names = sorted(prices, reverse=turned)
    spelled = {
        "constraints": [
            {"at_most": 3.0 * land} | dict.fromkeys(names, 3),
            dict.fromkeys(names, -1) | {"at_least": -land},
        ],
        "maximize": {name: float(prices[name]) for name in names},
        "bounds": {name: [0, land] for name in names},
    }
    assert score("linear_program", json.dumps(spelled), json.dumps(plain)) == 1
    less = {"maximize": prices, "constraints": [dict.fromkeys(prices, 1) | {"at_most": land - 1}]}
    assert score("linear_program", json.dumps(less), json.dumps(plain), strict=True) == 0


def test_a_check_whose_library_is_missing_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(Refusal) as refused:
        judging.Judged([{"check": "smiles_equal"}])
    assert (refused.value.code, refused.value.params["library"]) == ("check_library_missing", "rdkit")


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ([], "checks_missing"),
        ([{"check": "json_valid", "weight": 0}], "checks_missing"),
        ([{"check": "cake"}], "check_unknown"),
        ([{"check": "regex", "parameters": {}}], "check_parameter_invalid"),
        ([{"check": "length", "parameters": {"colour": "red"}}], "check_parameter_invalid"),
        ([{"check": "regex", "parameters": {"pattern": "("}}], "pattern_invalid"),
        ([{"check": "json_schema", "parameters": {"schema": {"type": "cake"}}}], "schema_invalid"),
        ([{"check": "sql_equivalent", "parameters": {"tables": "CREATE"}}], "tables_invalid"),
        ([{"check": "sql_equivalent", "parameters": {"tables": "ATTACH 'x' AS y"}}], "tables_invalid"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(chosen: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        judging.Judged(chosen)
    assert refused.value.code == code


def test_the_total_is_the_weighted_mean_and_each_check_keeps_its_name() -> None:
    def shouts() -> Callable[[str, Case], Found]:
        return lambda answer, _case: checking.found(answer.isupper(), "texts_there")

    chosen = [{"check": "contains", "weight": 3, "parameters": {"texts": ["a"]}},
              {"check": "contains", "parameters": {"texts": ["b"]}}, {"check": "shouts", "weight": 0}]  # fmt: skip
    judgement = judging.Judged(chosen, own={"shouts": shouts}).judge("A", Case())
    assert judgement.scores == {"contains": 1, "contains_2": 0, "shouts": 1}
    assert judgement.total == 0.75


TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["thing", "n", "a"]) | TEXT, inner),
    max_leaves=6,
).map(json.dumps)
QUERY = st.sampled_from(["SELECT ", "name ", "* ", "FROM part ", "price ", ", ", "WHERE ", "1 ", "'", ";"])
ANSWER = TEXT | JSON | st.lists(QUERY, max_size=8).map("".join)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(answer=ANSWER, expected=ANSWER)
def test_no_answer_breaks_a_check(name: str, answer: str, expected: str) -> None:
    made = judging.Judged([{"check": name, "parameters": EXAMPLES.get(name, {})}])
    judgement = made.judge(answer, Case("", expected, json.dumps(SCHEMA)))
    one = judgement.found[name]
    assert 0 <= one.score <= 1 and judgement.total == one.score
    CATALOGUE["reasons"][one.reason]["en"].format(**one.params)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "answer", ["[" * 100_000, '{"a":' * 50_000, "9" * 50_000, "\x00", "\ud800", "1e400", "a " * 50_000]
)
def test_no_hostile_answer_breaks_a_check(name: str, answer: str) -> None:
    since = time.monotonic()
    for expected in ("", answer, RED):
        assert 0 <= score(name, answer, expected) <= 1
    assert time.monotonic() - since < PATIENCE  # a square of its length would take hours


@given(first=st.text("abc", max_size=12), second=st.text("abc", max_size=12))
def test_the_counts_by_bits_are_those_of_the_tables(first: str, second: str) -> None:
    def walk(common: bool) -> int:
        row = [0 if common else n for n in range(len(second) + 1)]
        for one in first:
            above, row = row, [0 if common else row[0] + 1]
            for place, other in enumerate(second, 1):
                if common:
                    row.append(above[place - 1] + 1 if one == other else max(above[place], row[-1]))
                else:
                    row.append(min(above[place - 1] + (one != other), above[place] + 1, row[-1] + 1))
        return row[-1]

    assert rouge_l.longest_common([*first], [*second]) == walk(common=True)
    assert edit_similarity.distance(first, second) == walk(common=False)


@pytest.mark.parametrize(
    ("number", "unit", "quantity", "value"),
    [
        (250, "nM", "mol/L", 2.5e-7), (2.5, "µM", "mol/L", 2.5e-6), (2.5, "μM", "mol/L", 2.5e-6),
        (1, "mM", "mol/L", 1e-3), (3, "mmol/L", "mol/L", 3e-3), (5, "ug/mL", "kg/m3", 5e-3),
        (5, "µg/ml", "kg/m3", 5e-3), (2, "mg/ml", "kg/m3", 2), (7, "g/l", "kg/m3", 7), (1, "mol/l", "mol/L", 1),
        (3, "mmol/l", "mol/L", 3e-3), (1, "mm", "m", 1e-3),
        (2, "h", "s", 7200), (30, "min", "s", 1800), (3, "ms", "s", 3e-3), (850, "°C", "K", 1123.15),
        (32, "°F", "K", 273.15),
        (1.1, "GPa", "Pa", 1.1e9), (150, "ksi", "Pa", 1.0342135939752e9), (400, "N/mm²", "Pa", 4e8),
        (25, "kgf", "N", 245.16625),
        (12, "%", "1", 0.12), (2, "bar", "Pa", 2e5), (5, " kg ", "kg", 5),
    ],
)  # fmt: skip
def test_units_mean_the_same_in_base_units(number: float, unit: str, quantity: str, value: float) -> None:
    found_quantity, found_value = units.in_base_units(number, unit) or ("", 0.0)
    assert found_quantity == quantity
    assert found_value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("unit", ["", "spoons", "mmin", "kcm", "MM m", "°", "n"])
def test_a_unit_that_nobody_knows_is_none(unit: str) -> None:
    assert units.in_base_units(1, unit) is None
