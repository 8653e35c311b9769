"""An attempt from the offer to the last report, with a real agent process, runner and trainer."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import grpc
import psutil
import pytest

from agent.attempts import runner, trainer
from agent.storage.files import try_lock
from patience import PATIENCE
from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over
from tunesmith.v1 import fleet_pb2 as pb


def living(mark: str) -> list[psutil.Process]:
    """The processes with `mark` on their command line. A trainer's own pid would be that of its sandbox."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if mark in " ".join(process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@pytest.fixture(params=["auto", "off"])
def isolation(request: pytest.FixtureRequest) -> str:
    """The setting: with a sandbox, where this machine has one, and without."""
    return str(request.param)


def test_success(fleet: FakeFleet, machine: Machine) -> None:
    machine.start(SOME_TOKEN="very-secret-value", PIP_INDEX_URL="http://u:p@example.invalid/")
    fleet.offer(make_offer(fleet, GOOD + "print('very-secret-value')\n"))
    fleet.wait_for(lambda: over(fleet))
    reports = fleet.states[12]
    assert [r.state for r in reports] == ["PREPARING", "PREPARING", "RUNNING", "UPLOADING", "SUCCEEDED"]
    assert [r.sequence for r in reports] == [1, 2, 3, 4, 5]
    files = fleet.committed[12]["model"]
    assert set(files) == {"adapter.safetensors", "sub/model.json"}
    seen = json.loads(files["sub/model.json"])
    assert seen["train"] == 12
    assert seen["env"]["HF_HUB_OFFLINE"] == "1"
    assert "SOME_TOKEN" not in seen["env"] and "PIP_INDEX_URL" not in seen["env"]
    assert [event["step"] for event in fleet.events[12]] == [0, 1, 2]
    text = fleet.logs[12, "stdout"].decode()
    assert text.startswith("hello\nstep 0 ********************\n")
    assert "very-secret-value" not in text and "tsk_abc" not in text
    assert {stream for _, stream in fleet.sealed} == {"agent", "stdout", "stderr"}
    beats = len(fleet.heartbeats)
    fleet.wait_for(lambda: len(fleet.heartbeats) > beats and not fleet.heartbeats[-1].attempts)
    assert not machine.attempt_folder(12).exists()
    assert machine.stop() == 0
    assert fleet.goodbyes == ["shutdown"]


def test_kill_agent_in_mid_training(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    fleet.offer(make_offer(fleet, GOOD, steps=40, pause=0.05))
    fleet.wait_for(lambda: len(fleet.events[12]) > 3)
    machine.kill()
    assert trainer.is_running(machine.attempt_folder(12))
    machine.start()
    fleet.wait_for(lambda: over(fleet))
    assert [r.state for r in fleet.states[12]] == ["PREPARING", "PREPARING", "RUNNING", "UPLOADING", "SUCCEEDED"]
    assert [event["step"] for event in fleet.events[12]] == list(range(40))
    assert fleet.logs[12, "stdout"].count(b"\n") == 41
    assert (12, "RUNNING") in {(a.attempt_id, a.state) for a in fleet.hellos[-1].attempts}


def test_control_plane_away(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    fleet.offer(make_offer(fleet, GOOD, steps=20, pause=0.05))
    fleet.wait_for(lambda: len(fleet.events[12]) > 2)
    fleet.stop()
    fleet.start()
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    assert [event["step"] for event in fleet.events[12]] == list(range(20))


@pytest.mark.parametrize(
    ("body", "code", "params"),
    [
        ("sys.exit(7)", "trainer_crashed", {"status": 7}),
        ("os.kill(os.getpid(), 9)", "trainer_killed", {"signal": "SIGKILL"}),
        ("pass", "output_missing", {"output": "model"}),
        (
            "(out/'adapter').mkdir(); (out/'adapter'/'x').symlink_to('/etc/passwd')",
            "output_unreadable",
            {"output": "model"},
        ),
        (
            "event(kind='message', level='error', code='dataset_empty', params={'file': 'a'}, text='No.'); sys.exit(2)",
            "dataset_empty",
            {"file": "a", "text": "No."},
        ),
    ],
)
def test_bad_ends(fleet: FakeFleet, machine: Machine, body: str, code: str, params: dict[str, object]) -> None:
    machine.start()
    fleet.offer(make_offer(fleet, body))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("FAILED", code)
    assert params.items() <= json.loads(last.params).items()
    assert len(fleet.sealed) == 3


def test_a_trainer_that_never_ends_is_ended_at_its_time_limit(
    fleet: FakeFleet, machine: Machine, isolation: str
) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation)
    offer = make_offer(fleet, "print('round and round', file=sys.stderr, flush=True)\nwhile True: pass")
    offer.time_limit = 1.5
    fleet.offer(offer)
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("FAILED", "time_limit")
    assert json.loads(last.params) == {"allowed": 1.5, "lines": "round and round"}


EATER = """
kept = []
while True:
    kept.append(bytearray(os.urandom(1 << 20)) * 8)
    time.sleep(0.001)
"""
FAMILY = """
import subprocess
code = "kept = bytearray(__import__('os').urandom(1 << 20)) * 120; print(1, flush=True); __import__('time').sleep(600)"
children = [subprocess.Popen([sys.executable, "-c", code], start_new_session=True) for _ in range(4)]
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets memory be looked at and limited")
@pytest.mark.parametrize("body", [EATER, FAMILY], ids=["one process", "several, each within the limit"])
def test_a_trainer_that_takes_too_much_memory_is_ended_and_the_agent_lives_on(
    fleet: FakeFleet, machine: Machine, isolation: str, body: str
) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation, TUNESMITH_AGENT_MEMORY_SHARE="0")
    offer = make_offer(fleet, body)
    offer.memory_bytes = 80 << 20
    fleet.offer(offer)
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason) == ("FAILED", "memory_limit")
    assert json.loads(last.params)["limit"] == 320 << 20
    fleet.offer(make_offer(fleet, GOOD, attempt_id=13))
    fleet.wait_for(lambda: over(fleet, 13))
    assert fleet.last_state(13) == "SUCCEEDED"


def test_cancel_stops_a_stubborn_trainer(fleet: FakeFleet, machine: Machine, isolation: str) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation)
    body = "import signal; signal.signal(15, signal.SIG_IGN); event(kind='x', at='work')\nwhile True: time.sleep(1)"
    fleet.offer(make_offer(fleet, body))
    fleet.wait_for(lambda: fleet.events[12])
    fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "CANCELLED"
    assert not living(str(machine.attempt_folder(12)))


def test_fenced_attempt_stops_and_keeps_its_spool(fleet: FakeFleet, machine: Machine, isolation: str) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation)
    fleet.offer(make_offer(fleet, "event(kind='x', at='work')\nwhile True: print('on', flush=True); time.sleep(.1)"))
    fleet.wait_for(lambda: fleet.events[12])
    processes = [one for one in living(str(machine.attempt_folder(12))) if "runner.py" not in " ".join(one.cmdline())]
    fleet.fences[12] = 4
    gone, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    assert gone and not alive
    assert (machine.attempt_folder(12) / "log" / "stdout").exists()
    assert fleet.last_state(12) == "RUNNING"


def test_killed_runner_is_told_and_its_group_reaped(fleet: FakeFleet, machine: Machine, isolation: str) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation)
    fleet.offer(make_offer(fleet, "event(kind='x', at='work')\nwhile True: time.sleep(1)"))
    fleet.wait_for(lambda: fleet.events[12])
    os.kill(json.loads((machine.attempt_folder(12) / "runner.json").read_text())["pid"], signal.SIGKILL)
    fleet.wait_for(lambda: over(fleet))
    assert fleet.states[12][-1].reason == "runner_vanished"
    assert not living(str(machine.attempt_folder(12)))


def test_what_left_the_process_group_ends_with_its_job(fleet: FakeFleet, machine: Machine, isolation: str) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION=isolation)
    body = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60411'], start_new_session=True)\nevent(kind='x', at='work')\n"
    )
    fleet.offer(make_offer(fleet, body + GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED"
    assert not living("sleep 60411")


def test_a_link_in_place_of_a_log_is_not_followed(fleet: FakeFleet, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("very private\n")
    machine.start(TUNESMITH_AGENT_ISOLATION="off")  # in a sandbox the folder of the logs cannot be written
    body = (
        f"secret = {str(tmp_path / 'secret')!r}\nlink = pathlib.Path('log/agent'); link.unlink(missing_ok=True)\n"
        "link.symlink_to(secret); (out / 'events.jsonl').symlink_to(secret); sys.exit(7)\n"
    )
    fleet.offer(make_offer(fleet, body))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.states[12][-1].reason == "output_unreadable"
    assert b"private" not in b"".join(data for (attempt, _), data in fleet.logs.items() if attempt == 12)
    assert not fleet.events[12]


def test_a_look_at_the_lock_does_not_turn_the_runner_away(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "runner.lock")
    assert held is not None
    mine = os.open(tmp_path / "runner.lock", os.O_RDWR)
    threading.Timer(0.2, os.close, [held]).start()
    assert runner.taken(mine)
    os.close(mine)


def test_a_refused_success_becomes_a_failure_with_its_code(fleet: FakeFleet, machine: Machine) -> None:
    fleet.refusals["ReportState:SUCCEEDED"] = (grpc.StatusCode.INVALID_ARGUMENT, "file_type_refused")
    machine.start()
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    last = fleet.states[12][-1]
    assert (last.state, last.reason, last.sequence) == ("FAILED", "file_type_refused", 5)


def test_a_commit_that_is_still_under_way_is_asked_again(fleet: FakeFleet, machine: Machine) -> None:
    fleet.refusals["CommitArtifact"] = (grpc.StatusCode.UNAVAILABLE, "artifact_under_way")
    fleet.refuse_times = 3
    machine.start()
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED" and not fleet.refusals


@pytest.mark.parametrize("path", ["../evil.py", "/etc/evil.py", "a\\b.py", "sft_demo/../../evil.py"])
def test_paths_that_lead_out_are_declined(fleet: FakeFleet, machine: Machine, path: str) -> None:
    offer = make_offer(fleet, GOOD)
    offer.code[0].path = path
    machine.start()
    fleet.offer(offer)
    fleet.wait_for(lambda: fleet.states[12])
    assert (fleet.states[12][0].state, fleet.states[12][0].reason) == ("DECLINED", "path_refused")
    assert not machine.attempt_folder(12).exists()


@pytest.mark.parametrize("approved", ["0" * 64, "0123456789ab, none", "short"])
def test_code_that_the_owner_did_not_approve_is_declined(fleet: FakeFleet, machine: Machine, approved: str) -> None:
    machine.start(TUNESMITH_AGENT_APPROVED_METHODS=approved)
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: fleet.states[12])
    assert (fleet.states[12][0].state, fleet.states[12][0].reason) == ("DECLINED", "method_unapproved")
    assert not machine.attempt_folder(12).exists()


def test_outputs_are_in_the_cache_of_the_next_job(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    fleet.offer(make_offer(fleet, GOOD))
    fleet.wait_for(lambda: over(fleet))
    kept = {path.name for path in (machine.settings.data / "cache").glob("??/*")}
    produced = {file.sha256 for file in fleet.artifacts[1].files}
    assert produced <= kept
    assert all(path.stat().st_mode & 0o222 == 0 for path in Path(machine.settings.data / "cache").glob("??/*"))
