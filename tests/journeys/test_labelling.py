"""A tiny model that is really served is asked for answers and for variations, while the control plane is killed.

The model knows nothing: what it says is rubbish, and most of it has no end. So this shows that each item comes to an
end of its own, once, whatever happens; what answers are worth is looked at with a stub that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from place import Place
from tunesmith.v1 import automation_pb2 as pb

COUNT = 120
ROWS = b"".join(b'{"prompt": "What is %d?", "completion": "A number."}\n' % number for number in range(COUNT))


def run(client: tunesmith.Client, method: str, **options: Any) -> int:
    """Submit a job and follow it to its good end; the model that it made."""
    job = client.submit_job("default", method, **options)
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    return int(job.model_id)


@pytest.fixture(scope="module")
def served(place: Place, tiny: Path) -> Iterator[str]:
    """The name of a deployment of the tiny model."""
    client = place.client()
    source = {"source": "folder", "reference": str(tiny / "llama")}
    packaged = run(client, "export_gguf", inputs={"model": run(client, "import_base_model", parameters=source)})
    deployment = client.deploy("default", "tiny", packaged, context_length=128, slots=2)
    *_, deployment = client.wait_deployment(deployment.id)
    assert deployment.state == "SERVING", deployment.message
    yield "tiny"
    client.stop_deployment(deployment.id)


def all_items(client: tunesmith.Client, labelling_id: int) -> list[pb.LabelItem]:
    found: list[pb.LabelItem] = []
    while some := client.list_label_items(labelling_id, offset=len(found), limit=200):
        found += some
    return found


def told(items: list[pb.LabelItem]) -> dict[int, tuple[str, str, str]]:
    return {one.number: (one.state, one.answer, one.message) for one in items if one.state != "waiting"}


def test_answers_that_came_before_the_control_plane_was_killed_stay(place: Place, served: str) -> None:
    client = place.client()
    version = client.upload_dataset("default", "numbers", ROWS, test_share=0.0).id
    begun = client.start_labelling("default", version, served)
    for found in client.wait_labelling(begun.id):
        assert found.state == "asking", "all came before it could be killed"
        if found.items - found.waiting >= 5:
            break
    before = told(all_items(client, begun.id))
    place.kill_control_plane()
    place.up()
    client = place.client()
    *_, found = client.wait_labelling(begun.id)
    assert (found.state, found.items, found.waiting, found.message) == ("open", COUNT, 0, "")
    items = all_items(client, begun.id)
    assert len({one.number for one in items}) == COUNT
    assert {number: now for number, now in told(items).items() if number in before} == before
    assert all(one.answer for one in items if one.state == "ready")
    assert all(one.message for one in items if one.state == "unusable")
    assert found.unusable + sum(one.state == "ready" for one in items) == COUNT


def test_variations_of_a_model_that_knows_nothing_fall_out_with_their_reason(place: Place, served: str) -> None:
    client = place.client()
    version = client.upload_dataset("default", "numbers", ROWS[:2_000].rpartition(b"\n")[0] + b"\n", test_share=0.2).id
    begun = client.start_labelling("default", version, served, rows={"count": 4}, variations={"per_row": 2})
    *_, found = client.wait_labelling(begun.id)
    assert (found.state, found.items, found.waiting) == ("open", 8, 0)
    assert all(bool(one.message) == (one.state == "unusable") for one in all_items(client, begun.id))


def test_whoever_stops_it_has_what_came_and_can_go_on(place: Place, served: str) -> None:
    client = place.client()
    version = client.upload_dataset("default", "numbers", ROWS, test_share=0.0).id
    begun = client.start_labelling("default", version, served)
    for found in client.wait_labelling(begun.id):
        if found.items > found.waiting:
            break
    stopped = client.stop_labelling(begun.id)
    assert stopped.state == "open"
    before = told(all_items(client, begun.id))
    assert 0 < len(before) < COUNT
    assert told(all_items(client, begun.id)) == before
    client.close_labelling(begun.id)
    with pytest.raises(tunesmith.CallFailed):
        client.resume_labelling(begun.id)
