"""Where a thing stands in a method.toml, and a manifest under other names."""

import time
import tomllib

import pytest

from control_plane.domain.errors import MethodBroken
from control_plane.domain.manifest_text import line_in, line_of, renamed

TEXT = """name = "tiny"
kind = "train"
type = "SFT"
display = { en = "Tiny", de = "Winzig", zh = "微小" }
[description]
en = "Learns"
de = "Lernt"
zh = "学习"

[parameters.properties]
steps = { use = "steps" }
[parameters.properties.rate]
type = "number"
[outputs.model]
from = "base"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["name"], 1),
        (["display", "de"], 4),
        (["description", "de"], 7),
        (["parameters", "properties", "steps", "use"], 11),
        (["parameters", "properties", "rate", "type"], 13),
        (["parameters", "properties", "rate", "default"], 12),
        (["outputs", "model", "from"], 15),
        (["resources"], 1),
    ],
)
def test_the_line_is_that_of_the_nearest_thing_around(path: list[str], line: int) -> None:
    assert line_of(TEXT, path) == line


def test_a_readers_complaint_names_its_line() -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads("a = 1\nb = \n")
    assert line_in(str(caught.value)) == 2
    assert line_in("no idea") == 1


def test_another_name_and_other_words() -> None:
    words = {key: {"en": f'{key} "x" \\', "de": "Ä", "zh": "中"} for key in ("display", "description")}
    read = tomllib.loads(renamed(TEXT, "mine", "custom", words))
    before = tomllib.loads(TEXT)
    assert (read["name"], read["type"]) == ("mine", "custom")
    assert {key: read[key] for key in words} == words
    changed = {"name", "type", *words}
    assert {key: read[key] for key in read if key not in changed} == {
        key: before[key] for key in before if key not in changed
    }
    assert tomllib.loads(renamed(TEXT, "mine", "", {}))["type"] == "SFT"


def test_a_manifest_without_a_place_for_the_name_is_refused() -> None:
    with pytest.raises(MethodBroken):
        renamed("[description]\nen = 1\n", "mine", "", {})


@pytest.mark.parametrize("line", ["[" + " " * 20_000, "[a" + " " * 20_000 + "x", " " * 20_000 + "["])
def test_lines_that_look_like_tables_are_read_in_one_pass(line: str) -> None:
    begun = time.process_time()
    assert line_of(f"a = 1\n{line}\n[ b ]  # table\nc = 2\n", ["b", "c"]) == 4
    assert time.process_time() - begun < 2.0  # it was hours
