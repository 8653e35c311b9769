"""evaluation.json: right and wrong ones."""

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


def test_scores_differences_and_rows() -> None:
    outcome = scores.read(document())
    assert [(one["metric"], one["candidate"], one["n"], one["value"]) for one in outcome.scores] == [
        ("valid", "baseline", 2, 0.5),
        ("valid", "candidate", 2, 1.0),
        ("length", "baseline", 2, 3.5),
        ("length", "candidate", 2, 1.5),
    ]
    assert outcome.difference["value"] == 0.5 and outcome.verdict == "unclear"
    assert outcome.rows[0]["scores"] == {
        "valid": {"baseline": 1, "candidate": 1},
        "length": {"baseline": 4, "candidate": 2},
    }


def test_a_single_candidate_is_unpaired() -> None:
    outcome = scores.read(document(candidates=["candidate"], metrics={"valid": {"candidate": [1, 0]}}))
    assert (outcome.verdict, outcome.difference) == ("unpaired", {})


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
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        scores.read(document(**changes))


def test_only_an_object_is_an_evaluation() -> None:
    with pytest.raises(ValueError):
        scores.read([])
