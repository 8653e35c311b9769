"""What a search for a prompt found becomes a version with its job's success; what it says is checked first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane.domain.errors import Denied, NotFound
from control_plane.domain.permissions import VIEWER, Actor
from control_plane.services import jobs
from control_plane.services.fleet import scheduling
from control_plane.services.prompts import kept, searches
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.prompts import PromptVersionRecord
from fleet_support import DATASET, Fleet, manifest, model_files, model_input, succeed

DECODING = {"temperature": 0.0, "max_tokens": 8}
SHORT = {"system": "Be short.", "decoding": DECODING}


def document(**changes: Any) -> dict[str, Any]:
    tried = [({"decoding": DECODING}, [0, 0, 1, 0]), (SHORT, [1, 1, 1, 1]), (SHORT | {"system": "Be long."}, [0, 0])]
    return {
        "prompt": SHORT,
        "winner": 1,
        "candidates": [
            {"number": number, "origin": "instruction" if number else "base", "prompt": prompt, "scores": scores}
            for number, (prompt, scores) in enumerate(tried)
        ],
        "confirmed": {"base": [0] * 20, "winner": [1] * 15 + [0] * 5},
        "ended": "candidates",
        "answer_limit": 8,
        "seconds": 12.5,
    } | changes


def searched(fleet: Fleet, found: Any, name: str = "short") -> JobRecord:
    """A search that came to its end with this file."""
    machine = fleet.machine()
    version = fleet.dataset()
    fleet.method(
        manifest(
            "look",
            "search",
            {"prompt": {"kind": "prompt", "path": "prompt.json", "from": "base", "dataset": "dataset"}},
            {"base": model_input("base"), "dataset": DATASET},
        )
    )
    bring = jobs.submit(fleet.user, fleet.cp, "default", "bring")
    assert scheduling.run_pass(fleet.cp) == 1
    succeed(machine, fleet.cp, fleet.attempt(bring.id), {"model": model_files("base")})
    inputs = {"base": ModelRecord.get(ModelRecord.job == bring.id).id, "dataset": version.id}
    job = jobs.submit(fleet.user, fleet.cp, "default", "look", name=name, inputs=inputs)
    assert scheduling.run_pass(fleet.cp) == 1
    succeed(machine, fleet.cp, fleet.attempt(job.id), {"prompt": {"prompt.json": json.dumps(found).encode()}})
    return JobRecord.get_by_id(job.id)


def test_the_winner_is_a_version_with_its_search(fleet: Fleet) -> None:
    job = searched(fleet, document())
    assert job.state == "SUCCEEDED"
    saved = kept.version(fleet.user, fleet.cp, "default", "short")
    assert saved.version.content == SHORT
    assert (saved.version.job_id, saved.version.created_by) == (job.id, fleet.user.id)
    assert (saved.version.found["verdict"], saved.version.found["n"], saved.version.found["tried"]) == ("better", 20, 2)
    assert saved.version.found["gain"]["low"] > 0
    seen = searches.of_job(fleet.cp, job)
    assert seen is not None and seen.version is not None and seen.version.version.id == saved.version.id
    assert [(one.number, one.n, one.score.value) for one in seen.search.tried] == [
        (0, 4, 0.25),
        (1, 4, 1.0),
        (2, 2, 0.0),
    ]


def test_what_looked_good_only_where_it_was_chosen_is_said_so(fleet: Fleet) -> None:
    searched(fleet, document(confirmed={"base": [1] * 15 + [0] * 5, "winner": [0] * 20}))
    assert kept.version(fleet.user, fleet.cp, "default", "short").version.found["verdict"] == "worse"


def test_where_nothing_beat_the_base_nothing_is_kept(fleet: Fleet) -> None:
    found = document(winner=0, prompt={"decoding": DECODING}, confirmed={"base": [1, 0, 1]}, ended="minutes")
    job = searched(fleet, found)
    assert job.state == "SUCCEEDED" and not PromptVersionRecord.select().exists()
    seen = searches.of_job(fleet.cp, job)
    assert seen is not None and seen.version is None
    assert (seen.search.verdict, seen.search.best, seen.search.ended) == ("nothing", None, "minutes")


@pytest.mark.parametrize(
    "wrong",
    [
        [], {}, document(candidates=[]), document(winner=7), document(winner=True), document(ended="power"),
        document(confirmed={"base": [0, 1], "winner": [1]}), document(confirmed={"base": [], "winner": []}),
        document(confirmed={"base": [2], "winner": [1]}), document(confirmed={"base": ["1"], "winner": [1]}),
        document(candidates=document()["candidates"][1:]), document(seconds="long"),
        document(candidates=[*document()["candidates"], {"number": 1, "origin": "x", "prompt": SHORT, "scores": [1]}]),
        document(candidates=[document()["candidates"][0], {"number": 1, "origin": "x", "prompt": {}, "scores": [1]}]),
    ],
)  # fmt: skip
def test_a_file_that_is_none_fails_the_job(fleet: Fleet, wrong: Any) -> None:
    job = searched(fleet, wrong)
    assert (job.state, job.reason) == ("FAILED", "output_unreadable")
    assert "prompt.json" in job.reason_params["problem"]
    assert not PromptVersionRecord.select().exists()


def test_any_candidate_can_be_taken_by_who_may(fleet: Fleet) -> None:
    job = searched(fleet, document())
    taken = searches.take(fleet.user, fleet.cp, "default", job.id, 2)
    assert taken.version.number == 2 and taken.version.content["system"] == "Be long."
    for number in (0, 3, -1):
        with pytest.raises(NotFound):
            searches.take(fleet.user, fleet.cp, "default", job.id, number)
    viewer = Actor(kind="user", id="7", name="vic", roles={fleet.project.id: VIEWER})
    with pytest.raises(Denied):
        searches.take(viewer, fleet.cp, "default", job.id, 2)
