"""Curves as large as a word: their path, and the pages that show them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.presence import Heartbeat
from control_plane.services import traffic
from control_plane.services.fleet import machines, points
from served import serve
from web import sparklines

Browser = Callable[[str], FlaskClient]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([2.0, 1.0], "M0.0 2.0L96.0 22.0"),
        ([1.0, 1.0, 1.0], "M0.0 12.0L48.0 12.0L96.0 12.0"),
        ([1.0, math.nan, 0.0, 1.0], "M0.0 2.0M64.0 22.0L96.0 2.0"),
        ([1.0], ""),
        ([math.inf, math.nan], ""),
    ],
)
def test_a_path_goes_from_edge_to_edge_between_its_extremes(values: list[float], path: str) -> None:
    assert sparklines.path(values) == path


def test_within_bounds_what_is_beyond_stands_at_the_edge() -> None:
    assert sparklines.path([0.5, 2.0], 0.0, 1.0) == "M0.0 12.0L96.0 2.0"


def test_a_long_loss_becomes_few_values_from_its_first_to_its_last(cp: ControlPlane) -> None:
    room = rooms.with_base(cp)
    long, short, none = (room.train(name) for name in ("long", "short", "none"))
    room.fail(room.run(long, 40, loss=lambda step: 100.0 - step), "enough\n")
    room.run(short, 1, loss=lambda step: 7.0)
    found = points.losses([long.id, short.id, none.id])
    assert set(found) == {long.id, short.id}
    assert found[short.id] == [7.0]
    assert (found[long.id][0], found[long.id][-1], len(found[long.id])) == (99.0, 60.0, points.SKETCHED)
    assert found[long.id] == sorted(found[long.id], reverse=True)


def test_the_list_of_jobs_shows_the_loss(cp: ControlPlane, invite: Callable[..., str], browser: Browser) -> None:
    invite("ada", role="Viewer")
    room = rooms.with_base(cp)
    room.finish_model(room.run(room.train("hopeless"), loss=lambda step: 2.0 + step), "adapter")
    page = browser("ada").get("/p/lab/jobs").get_data(as_text=True)
    assert re.search(r'<svg class="sparkline"[^>]* aria-label="Loss from 3 to 42"><path d="M0.0 22.0L', page)
    assert "Did not learn" in page


def test_a_machines_page_shows_how_busy_it_was(cp: ControlPlane, invite: Callable[..., str], browser: Browser) -> None:
    invite("ada", role="Viewer")
    room = rooms.empty(cp)
    machines.load_presence(cp)
    busy = [{"kind": "cpu", "utilisation": 1.0}, {"kind": "cuda", "utilisation": 0.5}]
    for inventory in ({"cpu_utilisation": 0.25}, {"cpu_utilisation": 0.25}, {"devices": busy}, {}):
        beat = {"inventory": inventory, "held": (), "replicas": ()}
        machines.heartbeat(room.machine, cp, Heartbeat(epoch=1, **beat))
        room.wait(12)
    # the second one came too early to be kept, and the last one says nothing
    assert machines.loads(room.actor, cp) == {room.machine.id: [0.25, 0.5]}
    page = browser("ada").get(f"/machines/{room.machine.id}").get_data(as_text=True)
    assert 'd="M0.0 17.0L96.0 12.0"' in page
    room.wait(3600)
    assert machines.loads(room.actor, cp) == {room.machine.id: []}


def test_pages_show_the_requests_of_a_day(cp: ControlPlane, invite: Callable[..., str], browser: Browser) -> None:
    invite("ada", "Viewer", "lab")
    served = serve(cp, "lab", "faults").deployment_id
    for page in ("/p/lab/deployments", f"/p/lab/deployments/{served}"):
        assert 'class="sparkline"' not in browser("ada").get(page).text
    for _ in range(1_234):
        cp.requests.count(served, cp.clock())
    traffic.write(cp)
    for page in ("/p/lab/deployments", f"/p/lab/deployments/{served}"):
        shown = browser("ada").get(page).text
        assert "1,234" in shown
        assert "L96.0 2.0" in shown, "the curve ends at its height"
