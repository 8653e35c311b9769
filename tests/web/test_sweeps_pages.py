"""Sweeps: the form that begins as a job, and the page that says which settings were best."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from control_plane.context import ControlPlane
from control_plane.domain.sweeps import Choices, Range, Trial
from control_plane.store.jobs import JobRecord
from control_plane.store.sweeps import SweepRecord
from web import parallel, sweep_form

Browser = Callable[[str], FlaskClient]

SCHEMA = {
    "properties": {
        "rank": {"type": "integer", "default": 16},
        "rate": {"type": "number", "default": 0.001},
        "course": {"type": "string", "enum": ["cosine", "linear"], "default": "cosine"},
        "switch": {"type": "boolean", "default": False},
    }
}


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_sweep(rooms.furnished(cp))


@pytest.mark.parametrize(
    ("typed", "varied"),
    [
        ({"rank": "8; 16;32"}, {"rank": [8, 16, 32]}),
        ({"rank": "8, 16"}, {"rank": [8, 16]}),
        ({"rate": "0.001; 0,01"}, {"rate": [0.001, 0.01]}),
        ({"rate": "0.0001 … 0.01"}, {"rate": {"low": 0.0001, "high": 0.01, "log": True}}),
        ({"rate": "0.001...0.002"}, {"rate": {"low": 0.001, "high": 0.002}}),
        ({"rank": "4 bis 64"}, {"rank": {"low": 4, "high": 64, "log": True}}),
        ({"rank": "4到64"}, {"rank": {"low": 4, "high": 64, "log": True}}),
        ({"course": ["cosine", "linear"]}, {"course": ["cosine", "linear"]}),
        ({"switch": ["true", "false"]}, {"switch": [True, False]}),
        ({"rank": "  "}, {}),
    ],
)
def test_lists_and_ranges_are_read_as_people_type_them(typed: dict[str, object], varied: dict[str, object]) -> None:
    form = MultiDict({f"vary.{name}": value for name, value in typed.items()})
    assert sweep_form.read(SCHEMA, form) == (varied, {})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("many", "not_an_integer"),
        ("8; x", "not_an_integer"),
        ("8 … y", "not_an_integer"),
        pytest.param("8" + " " * 500_000 + "x", "not_an_integer", id="in one pass"),
    ],
)
def test_what_is_no_value_is_said_at_its_field(text: str, code: str) -> None:
    assert sweep_form.read(SCHEMA, MultiDict({"vary.rank": text})) == ({}, {"vary.rank": code})


def test_each_job_is_a_line_from_axis_to_axis() -> None:
    space = {"rank": Choices((16, 8)), "rate": Range(0.0001, 0.01, log=True)}
    trials = [
        Trial(1, {"rank": 8, "rate": 0.0001}, True, 0.5),
        Trial(2, {"rank": 16, "rate": 0.01}, True, 0.1),
        Trial(3, {"rank": 16, "rate": 0.001}, True, 0.3),
        Trial(4, {"rank": 16, "rate": 0.001}, False, None),
    ]
    picture = parallel.draw(space, trials, 2, {"rank": "Rank"}, "Loss", str)
    assert picture and [axis.label for axis in picture.axes] == ["Rank", "rate", "Loss"]
    assert [line.number for line in picture.lines] == [1, 3, 2]  # the best one lies on top
    paths = {line.number: [point.split(",") for point in line.path.split()] for line in picture.lines}
    heights = {number: [float(y) for _x, y in points] for number, points in paths.items()}
    assert heights[1][0] > heights[2][0]  # a rank of 8 stands below one of 16, whatever the list's order
    assert heights[3][1] == pytest.approx((heights[1][1] + heights[2][1]) / 2, abs=0.1)  # logarithmic
    assert heights[1][2] < heights[3][2] < heights[2][2]  # of the result the highest stands above
    assert parallel.draw(space, trials[:1], 1, {}, "Loss", str) is None


def test_the_page_says_which_was_best_and_lists_the_rest(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get(f"/p/lab/sweeps/{room.made['sweep']}")
    text = page.get_data(as_text=True)
    best = JobRecord.get(JobRecord.name == "faults-2")
    assert f"Job #{best.id}" in text and "0.12" in text
    assert text.count("<polyline") == 4 and text.count('class="best"') == 1
    order = [text.rindex(f'/jobs/{JobRecord.get(JobRecord.name == f"faults-{one}").id}"') for one in (2, 4, 3, 1)]
    assert order == sorted(order)
    assert 'href="/p/lab/sweeps/' in browser("ada").get("/p/lab/sweeps").get_data(as_text=True)


def test_a_job_of_a_sweep_leads_to_it_and_does_not_crowd_the_list(room: rooms.Rooms, browser: Browser) -> None:
    job = JobRecord.get(JobRecord.name == "faults-2")
    assert f'href="/p/lab/sweeps/{room.made["sweep"]}"' in browser("ada").get(f"/p/lab/jobs/{job.id}").get_data(
        as_text=True
    )
    assert f'/jobs/{job.id}"' not in browser("ada").get("/p/lab/jobs").get_data(as_text=True)
    assert f'/jobs/{job.id}"' in browser("ada").get("/p/lab/jobs?q=faults-2").get_data(as_text=True)


def test_a_sweep_begins_as_a_job_of_its_project(room: rooms.Rooms, browser: Browser) -> None:
    train = room.made["train"]
    assert "/p/lab/sweeps/new?from=" in browser("ada").get(f"/p/lab/jobs/{train}").get_data(as_text=True)
    form = {"from": train, "vary.lora_rank": "4; 8", "trials": "8", "at_once": "2", "objective": "held_out_loss"}
    sent = browser("ada").post("/p/lab/sweeps", data=form)
    assert sent.status_code == 302
    sweep = SweepRecord.select().order_by(SweepRecord.id.desc()).get()
    assert (sweep.space, sweep.trials, sweep.parameters["steps"]) == ({"lora_rank": [4, 8]}, 2, rooms.STEPS)
    assert sent.location.endswith(f"/sweeps/{sweep.id}")
    assert browser("ada").post(f"/p/lab/sweeps/{sweep.id}/cancel").status_code == 302
    assert SweepRecord.get_by_id(sweep.id).outcome == "cancelled"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vary.lora_rank": "many"}, "Enter a whole number"),
        ({"vary.lora_rank": "0; 8"}, "lora_rank"),
        ({}, "two different values"),
        ({"vary.lora_rank": "4; 8", "trials": "0"}, "trials"),
        ({"vary.lora_rank": "4; 8", "objective": "beauty"}, "objective"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    room: rooms.Rooms, browser: Browser, changes: dict[str, str], said: str
) -> None:
    before = SweepRecord.select().count()
    form = {"from": room.made["train"], "trials": "7", "at_once": "2", "objective": "held_out_loss", "name": "mine"}
    sent = browser("ada").post("/p/lab/sweeps", data=form | changes)
    text = sent.get_data(as_text=True)
    assert sent.status_code == 400 and said in text and 'value="mine"' in text
    assert changes.get("vary.lora_rank", "") in text
    assert SweepRecord.select().count() == before


def test_only_training_jobs_of_the_project_can_be_tried(room: rooms.Rooms, browser: Browser) -> None:
    assert browser("ada").get(f"/p/lab/sweeps/new?from={room.made['evaluate']}").status_code == 404
    assert browser("ada").get("/p/lab/sweeps/new").status_code == 404
