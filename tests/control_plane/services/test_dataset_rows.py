"""Rows of versions: paged by seeks, looked through, compared, edited; and none asked that was learnt."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from data_support import expert

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    DatasetEmpty,
    Denied,
    EditsEmpty,
    FieldInvalid,
    HeldOutLeak,
    LearntFromHeldOut,
    NotFound,
    RowFieldEmpty,
    RowGenerated,
)
from control_plane.domain.permissions import VIEWER, Actor
from control_plane.services import asking, jobs
from control_plane.services.datasets import editing, json_lines, overlap, readers, row_index, rows, versions
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import Fleet


@pytest.fixture
def erin(cp: ControlPlane) -> Actor:
    return expert(cp)


def lines(pairs: Iterable[tuple[str, str]]) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps({"prompt": p, "completion": c}).encode() + b"\n" for p, c in pairs))


def kept(
    actor: Actor, cp: ControlPlane, train: Iterable[tuple[str, str]], test: Iterable[tuple[str, str]] = (), **named: Any
) -> DatasetVersionRecord:
    held_out = lines(test)
    given = held_out if held_out.getvalue() else None
    project = named.pop("project", "pumps")
    return json_lines.upload(actor, cp, project, "faults", lines(train), given, test_share=0.0)[0]


def model(fleet: Fleet, attempt: AttemptRecord, form: str, base: int | None = None) -> int:
    """A model that the fleet has made."""
    artifact = ArtifactRecord.create(attempt=attempt, name=form, files=[], hash=form, size=1, begun_at=0)
    columns = {"hash": form, "size": 1, "card": {}, "created_at": 0, "base": base}
    return ModelRecord.create(
        project=fleet.project, name=form, form=form, job=attempt.job_id, artifact=artifact, **columns
    ).id


def numbered(count: int, answer: str = "c") -> list[tuple[str, str]]:
    return [(f"p{number}", f"{answer}{number}") for number in range(count)]


def prompts(found: list[dict[str, Any]]) -> list[str]:
    return [row["prompt"] for row in found]


def test_a_page_anywhere_with_its_index_or_without(cp: ControlPlane, erin: Actor) -> None:
    version = kept(erin, cp, numbered(100))
    index = cp.blobs.beside(version.train_sha256)
    assert index.stat().st_size == 8 * 7
    for is_older in (False, True):
        if is_older:
            index.unlink()  # it had none
        for first in (0, 1, 15, 16, 17, 98):
            wanted = [f"p{number}" for number in range(first, min(first + 3, 100))]
            assert prompts(rows.page(erin, cp, version.id, offset=first, limit=3)) == wanted
        assert rows.page(erin, cp, version.id, offset=100) == rows.page(erin, cp, version.id, offset=2**62) == []
    assert index.is_file()
    cp.blobs.remove(version.train_sha256, lambda _: False)
    assert not index.exists()


def test_edited_rows_are_another_version_with_its_author(cp: ControlPlane, erin: Actor) -> None:
    version = kept(erin, cp, numbered(5), [("held", "out")])
    better = {"prompt": "p2", "completion": {"better": 1}}
    edited, was_there = editing.edit(
        erin, cp, version.id, "train", {3: better}, [1], [{"prompt": "last", "completion": "c"}]
    )
    assert (edited.number, edited.created_by, was_there) == (2, erin.id, False)
    assert edited.source["edited_from"] == version.id
    found = rows.page(erin, cp, edited.id)
    assert prompts(found) == ["p1", "p2", "p3", "p4", "last"] and found[1]["completion"] == '{"better": 1}'
    assert AuditRecord.select().where(AuditRecord.action == "dataset.edit").get().actor_id == erin.id
    otherwise = {"prompt": "held", "completion": "otherwise"}
    asked, _ = editing.edit(erin, cp, edited.id, "test", {1: otherwise})
    assert rows.page(erin, cp, asked.id, "test") == [otherwise]
    assert editing.edit(erin, cp, asked.id, "test", {}, [1])[0].test_rows == 0
    assert versions.get_version(erin, cp, version.id).train_rows == 5


def test_edits_that_are_refused_change_nothing(cp: ControlPlane, erin: Actor) -> None:
    version = kept(erin, cp, numbered(5), [("held", "out")])
    row = {"prompt": "a", "completion": "b"}
    for edits, problem in (
        (("train", {}), EditsEmpty),
        (("left_out", {}, [1]), NotFound),
        (("train", {}, [0]), FieldInvalid),
        (("train", {6: row}), FieldInvalid),
        (("train", {2: row}, [2]), FieldInvalid),
        (("train", {}, [3, 3]), FieldInvalid),
        (("train", {}, [], [row] * 1_001), FieldInvalid),
        (("train", {}, [], [{"prompt": "held", "completion": "out"}]), HeldOutLeak),
        (("train", {}, range(1, 6)), DatasetEmpty),
    ):
        with pytest.raises(problem):
            editing.edit(erin, cp, version.id, *edits)
    with pytest.raises(RowFieldEmpty) as caught:
        editing.edit(erin, cp, version.id, "train", {4: {"prompt": " ", "completion": "b"}})
    assert caught.value.params == {"file": "train.jsonl", "line": 4, "field": "prompt"}
    viewer = Actor(kind="user", id="9", name="vic", roles=dict.fromkeys(erin.roles, VIEWER))
    with pytest.raises(Denied):
        editing.edit(viewer, cp, version.id, "train", {}, [1])
    assert DatasetVersionRecord.select().count() == 1


def test_a_generated_row_stays_one_when_it_is_changed(cp: ControlPlane, erin: Actor) -> None:
    made = {"prompt": "q", "completion": "a", "generated": {"by": "deployment faults", "row": 1}}
    train = io.BytesIO(json.dumps(made).encode() + b"\n" + lines([("p1", "c1")]).getvalue())
    version, _ = json_lines.upload(erin, cp, "pumps", "faults", train, lines([("t", "u")]), test_share=0.0)
    changed = {1: {"prompt": "q", "completion": "better"}, 2: {"prompt": "p1", "completion": "d"}}
    other, _ = editing.edit(erin, cp, version.id, "train", changed)
    assert rows.page(erin, cp, other.id) == [changed[1] | {"generated": made["generated"]}, changed[2]]
    assert other.facts["generated"] == 1
    with pytest.raises(RowGenerated):
        editing.edit(erin, cp, version.id, "test", {}, added=[made])


def test_no_evaluation_asks_what_was_learnt(cp: ControlPlane, fleet: Fleet, attempt: AttemptRecord) -> None:
    user = fleet.user
    learnt = kept(user, cp, numbered(30), [("held", "out")], project="default")
    touching = kept(user, cp, [("q", "a")], [("p7", "c7"), ("new", "one"), ("p9", "c9")], project="default")
    apart = kept(user, cp, [("q", "b")], [("p7", "another answer")], project="default")
    base = model(fleet, attempt, "base")
    models = {"candidate": model(fleet, attempt, "adapter", base), "baseline": base}
    ModelRecord.update(dataset_version=learnt.id).where(ModelRecord.id == models["candidate"]).execute()
    with pytest.raises(LearntFromHeldOut) as caught:
        asking.check(user, cp, "default", "score", inputs={**models, "dataset": touching.id})
    assert (caught.value.params["count"], caught.value.params["rows"]) == (2, [1, 3])
    for allowed in (learnt, apart):
        assert asking.check(user, cp, "default", "score", inputs={**models, "dataset": allowed.id}).kind == "evaluate"


@pytest.mark.parametrize("edge", ["packaged from it", "rests on it", "trained from it"])
def test_no_evaluation_asks_what_an_earlier_model_was_taught(
    cp: ControlPlane, fleet: Fleet, attempt: AttemptRecord, edge: str
) -> None:
    learnt = kept(fleet.user, cp, numbered(30), [("held", "out")], project="default")
    touching = kept(fleet.user, cp, [("q", "a")], [("p7", "c7"), ("new", "one")], project="default")
    base = model(fleet, attempt, "base")
    earlier, later = model(fleet, attempt, "merged", base), model(fleet, attempt, "adapter", base)
    ModelRecord.update(dataset_version=learnt.id).where(ModelRecord.id == earlier).execute()
    asked = {"candidate": later, "baseline": base, "dataset": touching.id}
    assert asking.check(fleet.user, cp, "default", "score", inputs=asked).kind == "evaluate"
    if edge == "trained from it":
        pinned = {"base": {"kind": "model", "id": earlier}}
        JobRecord.update(inputs=pinned).where(JobRecord.id == ModelRecord.get_by_id(later).job_id).execute()
    else:
        column = {"origin": earlier} if edge == "packaged from it" else {"base": earlier}
        ModelRecord.update(**column).where(ModelRecord.id == later).execute()
    with pytest.raises(LearntFromHeldOut):
        asking.check(fleet.user, cp, "default", "score", inputs=asked)
    cp.blobs.path(learnt.train_sha256).unlink()  # it is deleted for good
    assert asking.check(fleet.user, cp, "default", "score", inputs=asked).kind == "evaluate"


SAME = {
    "chat": {"messages": [{"role": "user", "content": "p7"}, {"role": "assistant", "content": "c7"}]},
    "preference": {"prompt": "p7", "chosen": "c7", "rejected": "d"},
    "unpaired_preference": {"prompt": "p7", "completion": "c7", "label": True},
    "prompt_completion": {"prompt": "p7", "completion": "c7"},
}


@pytest.mark.parametrize("format", SAME)
def test_what_was_learnt_is_known_in_any_format(cp: ControlPlane, erin: Actor, format: str) -> None:
    row = io.BytesIO(json.dumps(SAME[format]).encode())
    learnt, _ = json_lines.upload(erin, cp, "pumps", "learnt", row, None, test_share=0.0)
    assert learnt.format == format
    asked = kept(erin, cp, [("q", "a")], [("p7", "another"), ("p7", "c7")])
    assert overlap.shared(cp, learnt, asked) == (2,)
    assert overlap.shared(cp, asked, kept(erin, cp, [("p1", "c1")], [("q", "b")])) == ()


def test_where_it_was_used(cp: ControlPlane, fleet: Fleet, attempt: AttemptRecord) -> None:
    version = kept(fleet.user, cp, numbered(30), [("held", "out")], project="default")
    base = model(fleet, attempt, "base")
    adapter = model(fleet, attempt, "adapter", base)
    job = jobs.submit(fleet.user, cp, "default", "tune", inputs={"base": base, "dataset": version.id})
    ModelRecord.update(dataset_version=version.id).where(ModelRecord.id == adapter).execute()
    assert [one.id for one in readers.jobs_of(fleet.user, cp, version.id)] == [job.id]
    assert [one.id for one in readers.models_of(fleet.user, cp, version.id)] == [adapter]


def test_an_index_is_as_long_as_its_file(cp: ControlPlane) -> None:
    sha256 = cp.blobs.put_bytes(b"".join(b"%d\n" % number for number in range(33)) + b"no newline at the end")
    assert [int(line) for line in row_index.lines(cp, sha256, 30, 3)] == [30, 31, 32]
    assert list(row_index.lines(cp, sha256, 33)) == [b"no newline at the end"]
