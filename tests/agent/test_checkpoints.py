"""Checkpoints on their way while the trainer goes on, and what the next attempt is given."""

from __future__ import annotations

import json
import os
import signal

import grpc
import pytest

from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over

SAVE = """
import shutil, signal
def save(step):
    folder = out / "checkpoints" / str(step)
    (folder / "sub").mkdir(parents=True)
    (folder / "optimizer.pt.safetensors").write_bytes(b"o" * (9 << 20) + str(step).encode())
    (folder / "sub" / "state.json").write_text(json.dumps({"step": step}))
    event(kind="checkpoint", time=1.0, step=step, path=f"checkpoints/{step}")
def wait():
    while not (out / "go").exists(): time.sleep(0.01)
"""


def arrived(fleet: FakeFleet, step: int) -> dict[str, bytes] | None:
    return fleet.committed[12].get(f"checkpoint:{step}")


def let_go(machine: Machine) -> None:
    (machine.attempt_folder(12) / "out" / "go").touch()


def test_a_checkpoint_arrives_while_the_trainer_goes_on(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    fleet.offer(make_offer(fleet, SAVE + "save(20); wait()\n" + GOOD))
    fleet.wait_for(lambda: arrived(fleet, 20))
    assert fleet.last_state(12) == "RUNNING"
    files = arrived(fleet, 20) or {}
    assert set(files) == {"optimizer.pt.safetensors", "sub/state.json"}
    assert files["optimizer.pt.safetensors"].endswith(b"o20") and files["sub/state.json"] == b'{"step": 20}'
    let_go(machine)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"


def test_one_that_the_trainer_deletes_meanwhile_arrives_whole(fleet: FakeFleet, machine: Machine) -> None:
    fleet.hold_chunks.clear()
    machine.start()
    body = SAVE + "save(1); wait(); shutil.rmtree(out / 'checkpoints' / '1'); save(2); save(3); event(kind='x')\n"
    fleet.offer(make_offer(fleet, body + "while not (out / 'end').exists(): time.sleep(0.01)"))
    fleet.wait_for(lambda: fleet.chunks_asked)
    let_go(machine)
    fleet.wait_for(lambda: len(fleet.events[12]) == 4)
    fleet.hold_chunks.set()
    fleet.wait_for(lambda: arrived(fleet, 3))
    assert (arrived(fleet, 1) or {})["optimizer.pt.safetensors"].endswith(b"o1")
    assert arrived(fleet, 2) is None  # a newer one was there when the first was done
    (machine.attempt_folder(12) / "out" / "end").touch()
    fleet.wait_for(lambda: over(fleet))


def test_the_last_one_is_sent_before_a_trainer_that_was_asked_to_end_is_reported(
    fleet: FakeFleet, machine: Machine
) -> None:
    machine.start()
    body = "def end(*_): save(7); sys.exit(143)\nsignal.signal(15, end); event(kind='x')\nwhile True: time.sleep(1)"
    fleet.offer(make_offer(fleet, SAVE + body))
    fleet.wait_for(lambda: fleet.events[12])
    os.kill(json.loads((machine.attempt_folder(12) / "runner.json").read_text())["pid"], signal.SIGTERM)
    fleet.wait_for(lambda: over(fleet))
    assert arrived(fleet, 7) is not None
    assert json.loads(fleet.states[12][-1].params)["status"] == 143


def test_the_next_agent_sends_what_the_killed_one_did_not(fleet: FakeFleet, machine: Machine) -> None:
    fleet.hold_chunks.clear()
    machine.start()
    fleet.offer(make_offer(fleet, SAVE + "save(5); wait()\n" + GOOD))
    fleet.wait_for(lambda: fleet.chunks_asked)
    machine.kill()
    fleet.hold_chunks.set()
    machine.start()
    fleet.wait_for(lambda: arrived(fleet, 5))
    let_go(machine)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    assert [begun.name for begun in fleet.artifacts.values()] == ["checkpoint:5", "model"]


@pytest.mark.parametrize("path", ["../../..", "/etc", "nowhere", "checkpoints/link"])
def test_a_faulty_checkpoint_does_not_stop_the_training(fleet: FakeFleet, machine: Machine, path: str) -> None:
    fleet.heartbeat_seconds = 0.2  # what the agent wrote is looked at whenever it has said something
    machine.start()
    link = "(out / 'checkpoints').mkdir(); (out / 'checkpoints' / 'link').symlink_to('/etc')\n"
    report = f"event(kind='checkpoint', step='x', path=7); event(kind='checkpoint', step=1, path={path!r}); wait()\n"
    fleet.offer(make_offer(fleet, SAVE + link + report + GOOD))
    fleet.wait_for(lambda: "attempt 12: checkpoint 1 " in machine.said())
    let_go(machine)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    assert set(fleet.committed[12]) == {"model"}


def test_a_refused_checkpoint_does_not_stop_the_training(fleet: FakeFleet, machine: Machine) -> None:
    fleet.refusals["BeginArtifact"] = (grpc.StatusCode.INVALID_ARGUMENT, "file_type_refused")
    machine.start()
    fleet.offer(make_offer(fleet, SAVE + "save(1); wait()\n" + GOOD))
    fleet.wait_for(lambda: not fleet.refusals)
    let_go(machine)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"


def test_the_next_attempt_finds_it_where_its_job_file_says(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    body = "event(kind='x', seen=json.loads((pathlib.Path(job['resume']) / 'sub' / 'state.json').read_text()))\n"
    offer = make_offer(fleet, body + GOOD)
    offer.resume.name, offer.resume.kind = "resume", "checkpoint"
    offer.resume.files.append(fleet.blob("sub/state.json", b'{"step": 20}'))
    fleet.offer(offer)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.events[12][0]["seen"] == {"step": 20}
