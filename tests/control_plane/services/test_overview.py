"""What needs somebody now."""

from __future__ import annotations

import rooms

from control_plane.context import ControlPlane
from control_plane.services import deployments, overview


def test_a_better_model_waits_until_it_is_deployed(cp: ControlPlane) -> None:
    room = rooms.with_base(cp)
    train = room.train("tuned")
    adapter = room.finish_model(room.run(train), "adapter")
    pair = {"candidate": adapter, "baseline": room.made["base"], "dataset": room.made["version"]}
    worse = room.submit("evaluate", "unclear", pair)
    room.finish_evaluation(room.run(worse, 0), 3, 2)
    assert overview.of_project(room.actor, cp, "lab").undecided == []
    better = room.submit("evaluate", "better", pair, rows=32)
    evaluation = room.finish_evaluation(room.run(better, 0), rooms.ROWS, 2)
    assert [one.id for one in overview.of_project(room.actor, cp, "lab").undecided] == [evaluation]
    package = room.submit("export_gguf", "packed", {"model": adapter})
    packed = room.finish_model(room.run(package, 0), "gguf")
    assert len(overview.of_project(room.actor, cp, "lab").undecided) == 1
    deployment = deployments.deploy(room.actor, cp, "lab", "tuned", packed)
    assert overview.of_project(room.actor, cp, "lab").undecided == []
    deployments.stop(room.actor, cp, deployment.id)  # somebody has decided
    assert overview.of_project(room.actor, cp, "lab").undecided == []


def test_counts_are_of_all_and_lists_of_the_newest(cp: ControlPlane) -> None:
    room = rooms.with_base(cp)
    numbers = [room.train(f"waiting-{number}").id for number in range(11)]
    seen = overview.of_project(room.actor, cp, "lab")
    assert seen.counts == {"unfinished": 11, "failed": 0, "serving": 0}
    assert [job.id for job in seen.unfinished] == numbers[:2:-1]
