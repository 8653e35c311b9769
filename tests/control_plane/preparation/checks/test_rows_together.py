"""The checks that compare rows: duplicates, leakage, languages, classes, the structure of answers."""

from __future__ import annotations

import json
import pkgutil
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain.preparation import CHOICES
from control_plane.domain.shapes import Shape
from control_plane.preparation import checks
from control_plane.preparation.blocks import Block, written
from control_plane.preparation.checks import UNREADABLE, leakage
from control_plane.preparation.checks.answer_schema import AnswerSchema
from control_plane.preparation.checks.exact_duplicates import firsts, keys_of
from control_plane.preparation.checks.imbalance import Imbalance
from control_plane.preparation.checks.language_mix import LANGUAGES, languages
from control_plane.preparation.checks.near_duplicates import NearDuplicates

WORDS = {
    "en": "the pump at line four is hot and the bearing makes noise since monday when it was greased by the new shift "
    "who reported that the pressure fell twice while filling and that a valve stuck open for several minutes",
    "de": "die Pumpe an Linie vier ist heiß und das Lager macht seit Montag Geräusche als es von der neuen Schicht "
    "geschmiert wurde die meldete dass der Druck beim Füllen zweimal fiel und ein Ventil minutenlang offen klemmte",
    "zh": "四号线的泵过热轴承从星期一开始发出噪音当时由新班组加注润滑脂他们报告说灌装时压力下降了两次"
    "并且有一个阀门卡在打开位置好几分钟因此我们更换了密封圈并且记录了温度曲线以便下次检修时比较",
}


def test_each_check_has_its_choices() -> None:
    modules = [import_module(f"{checks.__name__}.{one.name}") for one in pkgutil.iter_modules(checks.__path__)]
    assert {UNREADABLE, *(module.CODE for module in modules)} == set(CHOICES)


@pytest.fixture
def near(tmp_path: Path) -> Iterator[NearDuplicates]:
    prints = NearDuplicates(tmp_path)
    yield prints
    prints.close()
    assert list(tmp_path.iterdir()) == []


def take(near: NearDuplicates, texts: list[str], size: int = 1000) -> None:
    for begin in range(0, len(texts), size):
        rows = [{"prompt": text, "completion": "ok"} for text in texts[begin : begin + size]]
        near.take(Block(begin, rows, [written(row) for row in rows], [0] * len(rows)))


def shuffled(language_code: str, seed: int) -> str:
    text = WORDS[language_code]
    parts = list(text) if language_code == "zh" else text.split()
    random.Random(seed).shuffle(parts)
    return ("" if language_code == "zh" else " ").join(parts)


@pytest.mark.parametrize("code", WORDS)
def test_a_copy_with_little_changed_is_nearly_the_same(near: NearDuplicates, code: str) -> None:
    text = WORDS[code]
    changed = text.replace("Montag", "Freitag").replace("monday", "friday").replace("星期一", "星期五")
    louder = text.upper() if code == "en" else text + "!"
    assert changed != text
    take(near, [text, *(shuffled(code, seed) for seed in range(100)), changed, louder])
    found = near.earlier(np.ones(103, np.bool_))
    assert [(row, int(first)) for row, first in enumerate(found) if row != first] == [(101, 0), (102, 0)]


def test_what_all_rows_begin_with_makes_none_alike(near: NearDuplicates) -> None:
    instruction = (
        "Answer with one JSON object that has the keys machine, part, fault and priority, and say nothing else: "
    )
    take(near, [instruction + shuffled("en", seed)[:80] for seed in range(200)])
    assert (near.earlier(np.ones(200, np.bool_)) == np.arange(200)).all()


def test_short_rows_are_like_no_other(near: NearDuplicates) -> None:
    take(near, ["yes", "yes", "no", "", "yes!"])
    assert (near.earlier(np.ones(5, np.bool_)) == np.arange(5)).all()


def test_only_asked_rows_are_compared_and_blocks_do_not_matter(near: NearDuplicates, tmp_path: Path) -> None:
    texts = [shuffled("de", seed) for seed in range(60)]
    texts += [f"{text}!" for text in texts[:20]]
    take(near, texts)
    among = np.ones(80, np.bool_)
    among[:10] = False
    found = near.earlier(among)
    assert [row for row in range(80) if found[row] != row] == list(range(70, 80))
    train, test = np.arange(80) < 60, np.arange(80) >= 60
    assert [row for row in range(80) if near.known(train, test)[row] != row] == list(range(20))


def test_many_copies_of_one_row(near: NearDuplicates) -> None:
    others = [shuffled("de", seed) for seed in range(1000)]
    take(near, [*others, *[WORDS["en"]] * 3000])
    found = near.earlier(np.ones(4000, np.bool_))
    assert (found[:1000] == np.arange(1000)).all()
    assert (found[1000:] == 1000).all()


@given(st.lists(st.binary(min_size=16, max_size=16) | st.sampled_from([b"\0" * 16, b"\xff" * 16, b"a" * 16])))
def test_the_first_of_equal_keys(keys: list[bytes]) -> None:
    found = firsts(keys_of(b"".join(keys)))
    assert found.tolist() == [keys.index(key) for key in keys]


def test_leakage_word_for_word_and_nearly(near: NearDuplicates) -> None:
    texts = [shuffled("en", seed) for seed in range(60)]
    texts += [texts[3], texts[5].replace("valve", "flap"), shuffled("en", 99)]
    take(near, texts)
    keys = keys_of(
        b"".join(text.encode()[:16].ljust(16) if row < 60 else bytes([row]) * 16 for row, text in enumerate(texts))
    )
    keys = keys.copy()
    keys[60] = keys[3]
    test = np.arange(63) >= 60
    exact, nearly = leakage.leaked(keys, near, ~test, test)
    assert np.flatnonzero(exact).tolist() == [3]
    assert np.flatnonzero(nearly).tolist() == [3, 5]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([WORDS["en"]], "en"),
        ([WORDS["de"]], "de"),
        ([WORDS["zh"]], "zh"),
        (["Le moteur est chaud et la pompe ne marche pas dans cette ligne"], "fr"),
        (["El motor está caliente y la bomba no funciona en la línea por la mañana"], "es"),
        (["ポンプが熱くなっています"], "ja"),
        (["펌프가 뜨겁습니다"], "ko"),
        (["Насос горячий, и он не работает с утра, но мы его не выключили"], "ru"),
        (["温度 sensor 报警, 请检查 PLC 模块"], "zh"),
        (["4711", "0.5"], ""),
        (["def f(x): return x + 1"], ""),
        (["Siemens"], ""),
        ([], ""),
    ],
)
def test_the_language_of_a_row(texts: list[str], code: str) -> None:
    row = {str(number): text for number, text in enumerate(texts)}
    rows = [{"prompt": WORDS["de"]}, row, {"prompt": ""}]
    told = languages(Block(0, rows, [written(one) for one in rows], [0] * 3))
    assert [LANGUAGES[place] for place in told] == ["de", code, ""]


def test_classes_that_are_out_of_balance() -> None:
    classes = Imbalance()
    for answers in (["gut"] * 40 + ["schlecht"] * 9, ["schlecht"], ["unklar"] * 2):
        classes.take(answers)
    assert classes.classes() == {"gut": 40, "schlecht": 10, "unklar": 2}
    assert classes.params() == {"classes": 3, "most": "gut", "most_rows": 40, "least": "unklar", "least_rows": 2}


@pytest.mark.parametrize(
    "answers",
    [
        ["yes"] * 30 + ["no"] * 20,  # balanced well enough
        ["yes"] * 30,  # one answer is no class
        [f"answer {number}" for number in range(60)],
        ["yes"] * 100 + ["no"] + ["a sentence that is far too long for the name of a class"],
    ],
)
def test_what_is_no_imbalance(answers: list[str]) -> None:
    classes = Imbalance()
    classes.take(answers)
    assert classes.params() is None


def schema_of(answers: list[str | None]) -> AnswerSchema:
    schema = AnswerSchema()
    schema.take(answers[:50])
    schema.take(answers[50:])
    return schema


def test_answers_unlike_the_others() -> None:
    usual = [json.dumps({"maschine": f"Presse {number}", "stunden": number}) for number in range(100)]
    odd: list[str | None] = [
        '{"maschine": "Presse 1"}',
        '{"maschine": "Presse 1", "stunden": 1, "note": "neu"}',
        '{"maschine": "Presse 1", "stunden": "viele"}',
        "nicht lesbar",
        None,
        '{"stunden": 2.5, "maschine": "Presse 2"}',  # another order, and a number is a number
    ]
    assert schema_of([*usual, *odd]).unlike() == {
        100: {"problem": "missing", "field": "stunden"},
        101: {"problem": "new", "field": "note"},
        102: {"problem": "type", "field": "stunden"},
        103: {"problem": "no_object"},
    }


def test_answers_without_a_structure_are_unlike_nothing() -> None:
    assert schema_of(["good", "bad", '{"a": 1}'] * 10).unlike() == {}
    assert schema_of(['{"a": 1}'] * 5 + ['{"b": 1}']).unlike() == {}


objects = st.dictionaries(
    st.sampled_from("abc"), st.integers() | st.text() | st.booleans() | st.none() | st.floats(-1, 1)
)


@given(st.lists(objects.map(json.dumps) | st.sampled_from(["", "[]", "no", "{"]), max_size=12))
def test_the_schema_is_the_one_that_shape_infers(answers: list[str]) -> None:
    shape = Shape()
    for answer in answers:
        shape.take(answer)
    assert schema_of([*answers, None]).shape().schema() == shape.schema()
