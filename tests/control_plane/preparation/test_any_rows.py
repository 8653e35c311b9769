"""Whatever stands in the rows of a file, a save divides them without losing one, or says in our words why it cannot."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.domain.errors import TunesmithError
from control_plane.domain.preparation import CHOICES, Choice, Limits, Mapping, Order, Report, Source, Split, Step, read
from control_plane.preparation import steps

LIMITS = Limits(row_bytes=50_000, file_bytes=10_000_000)
ODD = [
    *(
        "",
        " ",
        "\x00",
        "-",
        "n/a",
        "无",
        "\u200b",
        "a\u200db",
        "\u202eabc",
        "אבג\u200f",
        "\U000e0041x",
        "\x7f",
        "\u2028",
        "\r\n",
    ),
    *(
        "[" * 3_000,
        '{"a":' * 3_000,
        "9" * 5_000,
        "1e400",
        "NaN",
        '"',
        "\\",
        "\\u0000",
        "{",
        '{"a": 1, "a": 2}',
        '{"a": [[1]]}',
    ),
    *(
        "ghp_" + "a" * 36,
        "anna@werk-nord.de",
        "+49 30 1234567",
        "DE89370400440532013000",
        "x" * 49_000,
        "the of and " * 9,
    ),
    *(
        '[{"name": "f", "parameters": {}}]',
        '[{"type": "function", "function": {"name": "f"}}]',
        '{"name": "f", "arguments": "{"}',
    ),
    *('[{"role": "user", "content": "a"}]', '{"role": "assistant"}', "\n\nHuman: a\n\nAssistant: b"),
]
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUE = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "function", "name", "a.b"]), inner)
    ),
    max_leaves=4,
)
ROWS = st.lists(st.fixed_dictionaries({"prompt": VALUE, "completion": VALUE, "label": VALUE}), min_size=1, max_size=6)
MAPPINGS = st.sampled_from(
    [
        Mapping("prompt_completion", {"prompt": ["prompt"], "completion": ["completion"]}),
        Mapping("prompt_completion", {"prompt": ["prompt", "label"], "completion": ["completion", "label"]}),
        Mapping("text", {"text": ["completion"]}),
        Mapping("chat", {"messages": ["prompt", "completion"]}),
        Mapping("chat_with_tools", {"messages": ["prompt", "completion"], "tools": ["label"]}),
        Mapping("preference", {"prompt": ["prompt"], "chosen": ["completion"], "rejected": ["label"]}),
        Mapping("unpaired_preference", {"prompt": ["prompt"], "completion": ["completion"], "label": ["label"]}),
        None,
    ]
)
SOME = st.dictionaries(st.sampled_from(sorted(CHOICES)), st.sampled_from(list(Choice)), max_size=4)
SPLITS = st.sampled_from(
    [Split(share=0), Split(share=0.5), Split(share=0.3, by="prompt"), Split(share=0.3, stratify="label")]
)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _csv(rows: list[dict[str, Any]]) -> bytes:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerows([list(rows[0]), *([_text(value) for value in row.values()] for row in rows)])
    return written.getvalue().encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    written = io.BytesIO()
    columns = {name: [_text(row[name]) for row in rows] for name in rows[0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), written)
    return written.getvalue()


@settings(max_examples=150)
@given(ROWS, st.sampled_from([_jsonl, _csv, _parquet]), MAPPINGS, SOME, SPLITS, st.booleans())
def test_no_row_is_lost_whatever_stands_in_it(
    rows: list[dict[str, Any]],
    write: Any,
    mapping: Mapping | None,
    choices: dict[str, Choice],
    split: Split,
    twice: bool,
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "brought").write_bytes(write(rows))
        source = Source("rows", str(folder / "brought"), write.__name__[1:])
        test = source if twice else None
        order = Order(Step.SAVE, source, LIMITS, test, mapping=mapping, split=split, choices=choices)
        try:
            steps.save(order, folder, lambda *_: None)
        except TunesmithError as problem:
            assert problem.params.get("file") == "rows"
            assert not (folder / "report.json").exists()
            return
        _is_whole(folder, len(rows) * (2 if twice else 1))
    finally:
        shutil.rmtree(folder)


def _is_whole(folder: Path, count: int) -> None:
    """Each row went somewhere, and what is told of them is of them."""
    report = read(Report, json.loads((folder / "report.json").read_bytes()))
    counts = {name: _lines(folder / name) for name in ("train", "test", "left_out", "marks")}
    assert report.rows == count == sum(len(counts[name]) for name in ("train", "test", "left_out"))
    assert (len(counts["train"]), len(counts["test"])) == (report.train_rows, report.test_rows)
    assert len(counts["left_out"]) == report.left_out_rows
    for mark in counts["marks"]:
        assert mark["row"] < len(counts[mark["split"]]) and mark["checks"]
    for one in report.findings:
        assert one.count >= len(one.places)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
