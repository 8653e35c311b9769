"""evaluation.json: right and wrong ones."""

import json
from typing import Any

import pytest

from control_plane.domain import scores


def document(**changes: Any) -> dict[str, Any]:
    return {
        "candidates": ["baseline", "candidate"],
        "metrics": {
            "valid": {"baseline": [0, 1], "candidate": [1, 1]},
            "length": {"baseline": [3, 4], "candidate": [1, 2]},
        },
        "primary_metric": "valid",
        "rows": [{"row": 1, "answers": {"baseline": "a", "candidate": "b"}}],
    } | changes


def read(document: Any, piece: int = 1 << 20) -> scores.Scores:
    """As it comes from a file: in pieces."""
    data = json.dumps(document, ensure_ascii=False).encode()
    return scores.read(data[at : at + piece] for at in range(0, len(data), piece))


def test_scores_differences_and_rows() -> None:
    outcome = read(document())
    assert [(one["metric"], one["candidate"], one["n"], one["value"]) for one in outcome.scores] == [
        ("valid", "baseline", 2, 0.5),
        ("valid", "candidate", 2, 1.0),
        ("length", "baseline", 2, 3.5),
        ("length", "candidate", 2, 1.5),
    ]
    assert outcome.differences["valid"]["value"] == 0.5 and outcome.verdict == "unclear"
    assert {metric: one["verdict"] for metric, one in outcome.differences.items()} == dict.fromkeys(
        outcome.metrics, "unclear"
    )
    assert (list(outcome.rows.numbers), outcome.metrics["length"]) == ([1], {"baseline": [3, 4], "candidate": [1, 2]})


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 10_000])
def test_rows_are_found_where_they_lie_however_the_pieces_fall(piece: int) -> None:
    rows = [{"row": at, "answers": {"baseline": "ä", "candidate": '😀 "]}'}} for at in (1, 0)]
    given = document(rows=rows, metrics={"valid": {"baseline": [0.5, -1e3], "candidate": [12, 1]}})
    data = json.dumps(given, ensure_ascii=False, indent=1).encode()
    outcome = scores.read(data[at : at + piece] for at in range(0, len(data), piece))
    places = zip(outcome.rows.offsets, outcome.rows.lengths, strict=True)
    assert [json.loads(data[offset : offset + length]) for offset, length in places] == rows
    assert outcome.metrics == {"valid": {"baseline": [0.5, -1e3], "candidate": [12, 1]}}


def test_too_many_rows_are_refused() -> None:
    rows = [{"row": 0, "answers": {"baseline": "", "candidate": ""}}] * 3
    with pytest.raises(ValueError, match="more than 2"):
        scores.read([json.dumps(document(rows=rows)).encode()], most_rows=2)


def test_what_a_row_is() -> None:
    assert scores.flags({"m": {"candidate": 1, "baseline": 1}}) == 0
    assert scores.flags({"m": {"candidate": 1, "baseline": 0}}) == scores.DIFFERENCES
    assert scores.flags({"m": {"candidate": 0, "baseline": 1}}) == scores.DIFFERENCES | scores.WRONG


def test_cut_answers_are_counted_apart() -> None:
    cuts = [["candidate", "baseline"], ["baseline"]]
    rows = [{"row": at, "answers": {"baseline": "{", "candidate": "{"}, "cut": cut} for at, cut in enumerate(cuts)]
    outcome = read(document(rows=rows, answer_limit=64))
    assert (outcome.answer_limit, outcome.cut) == (64, {"baseline": 2, "candidate": 1})
    assert [one["value"] for one in outcome.scores] == [one["value"] for one in read(document()).scores]
    assert (read(document()).answer_limit, read(document()).cut) == (0, {"baseline": 0, "candidate": 0})


def test_a_single_candidate_is_unpaired() -> None:
    outcome = read(document(candidates=["candidate"], metrics={"valid": {"candidate": [1, 0]}}))
    assert (outcome.verdict, outcome.differences) == ("unpaired", {})


@pytest.mark.parametrize(
    "changes",
    [
        {"candidates": ["baseline"]},
        {"candidates": ["candidate", "third"]},
        {"metrics": {}},
        {"metrics": {"valid": {"candidate": [1]}}},
        {"metrics": {"valid": {"baseline": [1, 0], "candidate": [1]}}},
        {"metrics": {"valid": {"baseline": [], "candidate": []}}},
        {"metrics": {"valid": {"baseline": ["1"], "candidate": [1]}}},
        {"metrics": {"valid": {"baseline": [True], "candidate": [1]}}},
        {"primary_metric": "speed"},
        {"rows": [1]},
        {"rows": [{"row": 0, "answers": {"baseline": "", "candidate": ""}, "cut": "candidate"}]},
        {"rows": [{"row": 0, "answers": {"baseline": "", "candidate": ""}, "cut": ["third"]}]},
        {"rows": [{"row": 0, "answers": {"baseline": "", "candidate": ""}, "cut": [["candidate"]]}]},
        {"answer_limit": -1},
        {"answer_limit": True},
        {"answer_limit": "64"},
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read(document(**changes))


def test_only_an_object_is_an_evaluation() -> None:
    with pytest.raises(ValueError):
        read([])
