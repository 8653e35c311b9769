"""Check and save, from a file to the report and the rows of a version."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import control_plane
from control_plane.domain import datasets, generated
from control_plane.domain.errors import (
    DatasetEmpty,
    FormatUnknown,
    SplitColumnMissing,
    SplitColumnVaried,
    TunesmithError,
)
from control_plane.domain.preparation import Choice, Finding, Limits, Mapping, Order, Report, Source, Split, Step, read
from control_plane.preparation import blocks, facts, pipeline, steps
from control_plane.preparation.checks.exact_duplicates import keys_of
from control_plane.preparation.splitting import held_out
from control_plane.preparation.tokens import Tokens

MODEL = Path(control_plane.__file__).parent / "dry_run_model"
PAIRS = Mapping("prompt_completion", {"prompt": ["prompt"], "completion": ["completion"]})
SYLLABLES = ["ka", "lo", "mi", "tu", "re", "ban", "dor", "fel", "gis", "hup", "jem", "kul", "nor", "pas", "qui", "tov"]
FILES = ("train", "test", "left_out", "marks")


def sentence(number: int) -> str:
    """Many words that no other sentence has."""
    chance = random.Random(number)
    return " ".join("".join(chance.choices(SYLLABLES, k=3)) for _ in range(20))


def pairs(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": sentence(number), "completion": f"answer {number}"} for number in range(first, first + count)]


class Bench:
    """A folder in which steps are carried out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: list[tuple[int, int]] = []

    def source(self, rows: list[Any], name: str = "train.jsonl") -> Source:
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        (self.folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return Source(name, str(self.folder / name), "jsonl", encoding="utf-8")

    def run(self, step: Step, rows: list[Any], test: list[Any] | None = None, **order: Any) -> Report:
        train = self.source(rows)
        held = self.source(test, "test.jsonl") if test is not None else None
        self.result = self.folder / f"{step}.{len(list(self.folder.iterdir()))}"
        self.result.mkdir()
        full = {"mapping": PAIRS, **order}
        carried_out: Callable[..., None] = steps.save if step == Step.SAVE else steps.check
        told = Order(step, train, Limits(1 << 20, 1 << 30), held, **full)
        carried_out(told, self.result, lambda done, of: self.done.append((done, of)))
        return read(Report, json.loads((self.result / "report.json").read_bytes()))

    def check(self, rows: list[Any], test: list[Any] | None = None, **order: Any) -> Report:
        return self.run(Step.CHECK, rows, test, **order)

    def save(self, rows: list[Any], test: list[Any] | None = None, **order: Any) -> Report:
        """Save, and see that a check would have said the same."""
        checked = self.run(Step.CHECK, rows, test, **order)
        saved = self.run(Step.SAVE, rows, test, **order)
        assert saved == checked
        assert saved.rows == saved.train_rows + saved.test_rows + saved.left_out_rows
        for name, count in (("train", saved.train_rows), ("test", saved.test_rows), ("left_out", saved.left_out_rows)):
            assert len(self.rows(name)) == count
        assert {path.name for path in self.result.iterdir()} == {*FILES, "report.json"}
        return saved

    def rows(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.result / name).read_bytes().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def finding(report: Report, code: str) -> Finding:
    return next(one for one in report.findings if one.check == code)


def test_sound_rows_become_a_version(bench: Bench) -> None:
    rows = pairs(50)
    report = bench.save(rows, split=Split(share=0.2))
    assert (report.rows, report.train_rows, report.test_rows, report.left_out_rows) == (50, 40, 10, 0)
    assert [one.count for one in report.findings] == [0] * 11
    assert "too_long" not in [one.check for one in report.findings]  # of what length, no model says
    assert sorted(bench.rows("train") + bench.rows("test"), key=str) == sorted(rows, key=str)
    assert report.samples == rows[:5]
    assert bench.done[-1][0] == bench.done[-1][1] == (bench.folder / "train.jsonl").stat().st_size


def test_a_report_stays_small_where_rows_are_large(bench: Bench) -> None:
    long = [{"prompt": f"{number} {sentence(number) * 2_000}", "completion": "yes"} for number in range(6)]
    report = bench.check(long)
    assert [row["prompt"][:2] for row in report.samples] == ["0 ", "1 ", "2 ", "3 ", "4 "][: len(report.samples)]
    assert report.samples and (bench.result / "report.json").stat().st_size < 20_000


def test_the_split_and_the_facts_are_those_of_the_direct_way(bench: Bench) -> None:
    rows = pairs(300) + pairs(20)
    scan = datasets.Scan("train.jsonl", 1 << 20)
    for row in rows:
        scan.take(json.dumps(row).encode())
    old = datasets.held_out(scan.groups, 0.2, 42)
    report = bench.save(rows, choices={"duplicates": Choice.KEEP, "leakage": Choice.KEEP})
    assert bench.rows("test") == [row for number, row in enumerate(rows) if number in old]
    assert bench.rows("train") == [row for number, row in enumerate(rows) if number not in old]
    facts = scan.facts()
    shared = facts.keys() & report.facts.keys()
    assert {name: report.facts[name] for name in shared} == {name: facts[name] for name in shared}
    assert shared == facts.keys()


def test_rows_that_a_model_made_keep_their_mark_and_are_never_held_out(bench: Bench) -> None:
    rows = pairs(60)
    key = datasets.digest(rows[4])
    made = [generated.marked(row, key, 3, 5, "deployment faults", "h") for row in pairs(5, 100)] + pairs(1, 200)
    made[-1]["generated"] = True
    told = rows[:30] + made + rows[30:]
    scan = datasets.Scan("train.jsonl", 1 << 20)
    for row in told:
        scan.take(json.dumps(row).encode())
    for seed in range(5):
        old = datasets.held_out(scan.groups, 0.4, seed, scan.never_held_out())
        report = bench.save(told, split=Split(share=0.4, seed=seed))
        assert bench.rows("test") == [row for number, row in enumerate(told) if number in old]
        assert [row for row in bench.rows("train") if "generated" in row] == made
        assert rows[4] in bench.rows("train")
        assert report.facts["generated"] == scan.facts()["generated"] == 6


@pytest.mark.parametrize("said", ["true", "1", "Yes", "wahr", '{"by": "deployment faults", "key": "00"}'])
def test_a_table_says_by_a_word_that_a_model_made_a_row(bench: Bench, said: str) -> None:
    written = "prompt,completion,generated\n"
    for row in pairs(40):
        told = said.replace('"', '""')
        written += f'{row["prompt"]},{row["completion"]},"{told if int(row["completion"].split()[1]) % 2 else ""}"\n'
    (bench.folder / "made.csv").write_text(written)
    (folder := bench.folder / "result").mkdir()
    source = Source("made.csv", str(bench.folder / "made.csv"), "csv", encoding="utf-8", delimiter=",")
    order = Order(Step.SAVE, source, Limits(1 << 20, 1 << 30), None, mapping=PAIRS, split=Split(share=0.4, seed=7))
    steps.save(order, folder, lambda *_: None)
    train, test = (list(map(json.loads, (folder / name).read_bytes().splitlines())) for name in ("train", "test"))
    assert (len(train), len(test)) == (32, 8)
    assert all(int(row["completion"].split()[1]) % 2 == 0 for row in test)
    assert sum("generated" in row for row in train) == 20
    assert json.loads((folder / "report.json").read_bytes())["facts"]["generated"] == 20


def test_whether_a_model_made_a_row_is_not_guessed(bench: Bench) -> None:
    rows = [*pairs(20), pairs(1, 100)[0] | {"generated": "maybe"}]
    report = bench.save(rows)
    place = finding(report, "unreadable").places[0]
    assert report.left_out_rows == 1 and place.line == 21
    assert (place.params["code"], place.params["field"]) == ("row_field_type_wrong", "generated")
    answers = [{"prompt": row["prompt"], "generated": row["completion"]} for row in pairs(20)]
    mapping = Mapping("prompt_completion", {"prompt": ["prompt"], "completion": ["generated"]})
    assert bench.save(answers, mapping=mapping).left_out_rows == 0  # it is what the rows are made of


def test_a_held_out_file_is_kept_without_rows_that_a_model_made(bench: Bench) -> None:
    test = [*pairs(3, 100), pairs(1, 200)[0] | {"generated": True}]
    report = bench.save(pairs(20), test)
    assert report.test_rows == 3
    assert finding(report, "unreadable").places[0].params["code"] == "row_generated"
    assert bench.rows("test") == pairs(3, 100)


@pytest.mark.parametrize("order", [{}, {"choices": {"near_duplicates": Choice.DROP}}, {"split": Split(0.3, 7)}])
def test_the_same_order_makes_the_same_bytes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, order: dict[str, Any]
) -> None:
    rows = [*pairs(200), *({**row, "prompt": f"{row['prompt']}."} for row in pairs(30)), *pairs(10)]
    made = []
    for size in (2000, 2000, 7):  # nor does it matter how long a block is
        monkeypatch.setattr(pipeline, "_ROWS", size)
        bench.save(rows, **order)
        made.append([(bench.result / name).read_bytes() for name in (*FILES, "report.json")])
    assert made[0] == made[1]
    assert made[0] == made[2]


def test_unreadable_rows_are_left_out_with_their_reasons(bench: Bench) -> None:
    rows: list[Any] = [*pairs(20), "{broken", {"prompt": "only"}, {"prompt": "x", "completion": ""}]
    report = bench.save(rows)
    found = finding(report, "unreadable")
    assert (found.count, found.choices) == (3, [Choice.DROP])
    assert [(place.line, place.field) for place in found.places] == [(21, ""), (22, "completion"), (23, "completion")]
    assert [place.params["code"] for place in found.places] == ["row_not_json", "row_field_missing", "row_field_empty"]
    assert [(row["file"], row["line"], row["check"]) for row in bench.rows("left_out")] == [
        ("train.jsonl", line, "unreadable") for line in (21, 22, 23)
    ]
    assert bench.rows("left_out")[0]["row"] == "{broken"


def test_what_is_fixed_is_fixed_before_rows_are_compared(bench: Bench) -> None:
    rows = [*pairs(20), {"prompt": f"\u200b{sentence(3)}", "completion": "answer\u202e 3"}]
    report = bench.save(rows)
    assert (finding(report, "hidden_characters").count, finding(report, "hidden_characters").choice) == (1, Choice.FIX)
    assert [place.params for place in finding(report, "duplicates").places] == [{"first": 4}]
    assert [row["line"] for row in bench.rows("left_out")] == [21]


def test_a_row_of_which_nothing_would_be_left_is_left_out(bench: Bench) -> None:
    report = bench.save([*pairs(20), {"prompt": "what", "completion": "\u200b"}])
    assert report.left_out_rows == 1
    assert bench.rows("left_out")[0]["check"] == "hidden_characters"


def test_secrets_go_and_stand_nowhere(bench: Bench) -> None:
    token = "ghp_" + "aB3" * 12
    rows = [*pairs(20), {"prompt": f"the token is\n{token}", "completion": f"use {token}"}]
    report = bench.save(rows)
    (place,) = finding(report, "secrets").places
    assert (place.line, place.field, place.params) == (21, "prompt", {"kinds": ["github"]})
    assert place.excerpt == "the token is [SECRET] · use [SECRET]"
    assert finding(report, "secrets").params == {"kinds": {"github": 1}}
    for name in (*FILES, "report.json"):
        assert token not in (bench.result / name).read_text()
    assert bench.rows("left_out")[0]["check"] == "secrets"
    bench.save(rows, choices={"secrets": Choice.FIX})
    assert {"prompt": "the token is\n[SECRET]", "completion": "use [SECRET]"} in bench.rows("train") + bench.rows(
        "test"
    )


def test_secrets_stand_nowhere_whatever_else_is_wrong_with_their_row(bench: Bench) -> None:
    tokens = ["ghp_" + letter * 36 for letter in "abcde"]
    rows = [
        *pairs(20),
        '{"prompt": "broken\\n' + tokens[0],
        {"prompt": f"no answer\n{tokens[1]}"},
        json.dumps({"prompt": f"twice {tokens[2]}", "completion": "x"})[:-1] + ', "prompt": "again"}',
        {"prompt": f"first\u200b, {tokens[3]}", "completion": "x"},
    ]
    for choices in ({}, {"hidden_characters": Choice.DROP}, {"secrets": Choice.FIX}):
        bench.save(rows, choices=choices)
        for name in (*FILES, "report.json"):
            assert not [one for one in tokens if one in (bench.result / name).read_text()], (name, choices)
    bench.save(rows, choices={"secrets": Choice.KEEP})
    assert tokens[0] in (bench.result / "left_out").read_text()


def test_what_hidden_characters_part_is_masked_in_an_excerpt(bench: Bench) -> None:
    parted = {"prompt": f"ghp_\u200b{'a' * 36}", "completion": "write to anna\u200b@werk-nord.de"}
    (place,) = finding(bench.check([*pairs(20), parted]), "hidden_characters").places
    assert place.excerpt == "[SECRET] · write to [MAIL]"


def test_personal_data_stays_unless_it_is_to_be_masked(bench: Bench) -> None:
    rows = [*pairs(20), {"prompt": "写信给 li.wei@gongsi.com.cn", "completion": "Tel. 0171 2345678"}]
    report = bench.save(rows)
    (place,) = finding(report, "personal_data").places
    assert place.excerpt == "写信给 [MAIL] · Tel. [PHONE]"
    assert rows[-1] in bench.rows("train") + bench.rows("test")
    assert bench.rows("marks")[-1]["checks"] == ["personal_data"]
    bench.save(rows, choices={"personal_data": Choice.FIX})
    assert {"prompt": "写信给 [MAIL]", "completion": "Tel. [PHONE]"} in bench.rows("train") + bench.rows("test")


def test_marks_name_rows_of_their_part(bench: Bench) -> None:
    rows = pairs(60)
    for number in range(0, 60, 3):
        rows[number]["completion"] = "n/a"
    bench.save(rows, choices={"duplicates": Choice.KEEP})
    marked = {"train": [], "test": []}
    for mark in bench.rows("marks"):
        assert mark["checks"] == ["empty_answer"]
        marked[mark["split"]].append(mark["row"])
    for part, numbers in marked.items():
        assert numbers == [n for n, row in enumerate(bench.rows(part)) if row["completion"] == "n/a"]


def test_near_duplicates_stay_and_are_marked_or_go(bench: Bench) -> None:
    rows = [*pairs(60), *({**row, "prompt": f"{row['prompt']}!"} for row in pairs(8))]
    report = bench.save(rows, split=Split(share=0))
    assert finding(report, "near_duplicates").count == 8
    assert (report.train_rows, len(bench.rows("marks"))) == (68, 8)
    assert finding(report, "near_duplicates").places[0].params == {"first": 1}
    report = bench.save(rows, split=Split(share=0), choices={"near_duplicates": Choice.DROP})
    assert report.train_rows == 60
    assert bench.rows("train") == rows[:60]


def test_rows_that_are_held_out_are_not_learned(bench: Bench) -> None:
    held = pairs(10, first=200)
    rows = [*pairs(60), held[2], {**held[4], "prompt": f"{held[4]['prompt']}!"}]
    report = bench.save(rows, held)
    found = finding(report, "leakage")
    assert (found.count, found.choice, found.params) == (2, Choice.DROP, {"exact": 1, "near": 1})
    assert [(place.file, place.line) for place in found.places] == [("train.jsonl", 61), ("train.jsonl", 62)]
    assert bench.rows("test") == held
    assert bench.rows("train") == rows[:60]
    report = bench.save(rows, held, choices={"leakage": Choice.KEEP})
    assert (report.train_rows, [mark["row"] for mark in bench.rows("marks")]) == (62, [60, 61])


def test_rows_that_agree_in_a_column_stay_on_one_side(bench: Bench) -> None:
    rows = [{**row, "batch": f"Charge {number // 5}" if number < 90 else ""} for number, row in enumerate(pairs(100))]
    bench.save(rows, split=Split(share=0.3, by="batch"))
    of = {row["prompt"]: row["batch"] for row in rows}
    parts = [{of[row["prompt"]] for row in bench.rows(part)} - {""} for part in ("train", "test")]
    assert parts[0] and parts[1] and not parts[0] & parts[1]
    without = [sum(of[row["prompt"]] == "" for row in bench.rows(part)) for part in ("train", "test")]
    assert min(without) > 0  # rows without a value stand by themselves


def test_each_value_of_a_column_is_held_out_in_the_same_share(bench: Bench) -> None:
    rows = [{**row, "level": "高" if number % 10 else "低"} for number, row in enumerate(pairs(200))]
    bench.save(rows, split=Split(share=0.25, stratify="level"))
    of = {row["prompt"]: row["level"] for row in rows}
    test = [of[row["prompt"]] for row in bench.rows("test")]
    assert (test.count("高"), test.count("低")) == (45, 5)


def test_columns_of_a_split_must_be_there_and_have_few_values(bench: Bench) -> None:
    with pytest.raises(SplitColumnMissing) as missing:
        bench.check(pairs(10), split=Split(by="nowhere"))
    assert missing.value.params == {"file": "train.jsonl", "column": "nowhere"}
    with pytest.raises(SplitColumnVaried):
        bench.check(pairs(1001), split=Split(stratify="prompt"))


def test_a_language_apart_and_answers_that_differ(bench: Bench) -> None:
    german = ": Die Pumpe ist heiß und das Lager an der Linie macht Geräusche."
    rows = [{"prompt": sentence(n) + german, "completion": json.dumps({"part": n})} for n in range(60)]
    rows[7]["completion"] = '{"part": 7, "note": "x"}'
    rows[9]["prompt"] = sentence(9) + ": The pump is hot and the bearing at the line makes noise."
    report = bench.save(rows, choices={"answer_schema": Choice.DROP})
    assert [place.line for place in finding(report, "language_mix").places] == [10]
    assert finding(report, "language_mix").params["main"] == "de"
    assert report.facts["languages"] == {"de": 58, "en": 1}
    assert [place.params for place in finding(report, "answer_schema").places] == [{"problem": "new", "field": "note"}]
    assert [row["check"] for row in bench.rows("left_out")] == ["answer_schema"]


def test_classes_are_told_without_rows(bench: Bench) -> None:
    rows = [{"prompt": sentence(n), "completion": "gut" if n % 30 else "schlecht"} for n in range(90)]
    found = finding(bench.save(rows), "imbalance")
    assert (found.count, found.places, found.choices) == (3, [], [Choice.KEEP])
    assert found.params == {"classes": 2, "most": "gut", "most_rows": 87, "least": "schlecht", "least_rows": 3}


def test_lengths_in_tokens_of_a_model(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*pairs(60), {"prompt": "ä " * 700, "completion": "lang"}]
    told = {"tokenizer": str(MODEL), "context": 1000, "choices": {"too_long": Choice.DROP}}
    report = bench.save(rows, **told)
    (place,) = finding(report, "too_long").places
    assert (place.line, place.params["unit"], place.params["limit"]) == (61, "tokens", 1000)
    tokens = Tokens(MODEL, "prompt_completion")
    assert place.params["length"] == tokens.count([rows[-1]])[0]
    lengths = report.facts["histogram"]
    assert (lengths["unit"], lengths["limit"], sum(lengths["counts"])) == ("tokens", 1000, 60)
    longest = max(tokens.count(rows[:60]))
    assert lengths["edges"][-1] <= longest < lengths["edges"][-1] + lengths["edges"][1]
    monkeypatch.setattr(facts, "_MOST_COUNTED", 20)
    assert sum(bench.check(rows, **told).facts["histogram"]["counts"]) == 15  # each fourth


def test_a_choice_that_a_check_does_not_have_is_its_own(bench: Bench) -> None:
    report = bench.check([*pairs(5), pairs(1)[0]], choices={"duplicates": Choice.FIX})
    assert finding(report, "duplicates").choice == Choice.DROP


@pytest.mark.parametrize(
    ("rows", "order", "problem"),
    [
        ([{"prompt": "only"}], {}, DatasetEmpty),
        ([{"a": 1, "b": 2}], {"mapping": None}, FormatUnknown),
        ([], {}, DatasetEmpty),
    ],
)
def test_what_makes_no_version(
    bench: Bench, rows: list[Any], order: dict[str, Any], problem: type[TunesmithError]
) -> None:
    with pytest.raises(problem):
        bench.run(Step.SAVE, rows, **order)
    assert not (bench.result / "report.json").exists()


def test_a_check_tells_what_is_wrong_with_every_row(bench: Bench) -> None:
    report = bench.check([{"prompt": "only"}] * 3)
    assert (report.train_rows, report.left_out_rows, finding(report, "unreadable").count) == (0, 3, 3)


def test_no_more_places_than_are_shown(bench: Bench) -> None:
    found = finding(bench.check([{"prompt": "x", "completion": "-"}] * 250), "empty_answer")
    assert (found.count, len(found.places)) == (250, 100)


keys = st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=8).flatmap(
    lambda few: st.lists(st.sampled_from(few), max_size=60)
)


@given(keys, st.floats(0, 0.5), st.integers(0, 2**31))
def test_the_split_is_the_one_of_the_domain(groups: list[bytes], share: float, seed: int) -> None:
    count = len(groups)
    told = held_out(keys_of(b"".join(groups)), np.zeros(count, np.uint16), np.ones(count, np.bool_), share, seed)
    assert frozenset(np.flatnonzero(told).tolist()) == datasets.held_out(groups, share, seed)


def test_memory_does_not_grow_with_the_length_of_rows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are let go: no more than the last two are ever there."""
    alive: set[int] = set()
    most = 0

    class Watched(blocks.Block):
        def __init__(self, *given: Any) -> None:
            nonlocal most
            super().__init__(*given)
            alive.add(id(self))
            most = max(most, len(alive))

        def __del__(self) -> None:
            alive.discard(id(self))

    monkeypatch.setattr(pipeline, "Block", Watched)
    monkeypatch.setattr(pipeline, "_ROWS", 50)
    assert bench.check(pairs(1000)).rows == 1000
    assert most == 2
