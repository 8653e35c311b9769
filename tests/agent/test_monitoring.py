"""The agent's loopback port for monitoring."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from contextlib import closing

import psutil
from prometheus_client.parser import text_string_to_metric_families

from patience import PATIENCE, wait_until
from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over
from tunesmith.v1 import fleet_pb2 as pb


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()
    except urllib.error.URLError:
        return 0, ""


def samples(port: int) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(get(port, "/metrics")[1])
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_what_it_holds_and_whether_it_is_heard(fleet: FakeFleet, machine: Machine) -> None:
    fleet.heartbeat_seconds = 0.2
    port = free_port()
    machine.start(TUNESMITH_AGENT_METRICS_PORT=str(port))
    fleet.wait_for(lambda: get(port, "/readyz") == (200, "ok"))
    assert get(port, "/healthz") == (200, "ok")
    assert get(port, "/nothing")[0] == 404
    fleet.offer(make_offer(fleet, GOOD, steps=100, pause=0.1))
    fleet.wait_for(lambda: samples(port).get(("tunesmith_agent_attempts", "RUNNING")) == 1)
    assert samples(port)["process_resident_memory_bytes",] > 0
    listening = [one.laddr for one in psutil.Process(machine.pid).net_connections() if one.status == "LISTEN"]
    assert [tuple(one) for one in listening] == [("127.0.0.1", port)]
    fleet.stop()
    wait_until(lambda: get(port, "/readyz")[0] == 503)  # nobody hears the agent now, so nothing wakes `wait_for`
    assert get(port, "/healthz") == (200, "ok")
    fleet.start()
    fleet.wait_for(lambda: get(port, "/readyz")[0] == 200)
    fleet.instruct("cancel:12:3", cancel=pb.Cancel(attempt_id=12, fence=3))
    fleet.wait_for(lambda: over(fleet))


def test_a_port_in_use_keeps_no_agent_from_its_work(fleet: FakeFleet, machine: Machine) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        machine.start(TUNESMITH_AGENT_METRICS_PORT=str(taken.getsockname()[1]))
        fleet.wait_for(lambda: fleet.heartbeats)
        fleet.wait_for(lambda: "no metrics on port" in machine.said())


def test_without_the_setting_it_listens_nowhere(fleet: FakeFleet, machine: Machine) -> None:
    machine.start()
    fleet.wait_for(lambda: fleet.heartbeats)
    assert [one for one in psutil.Process(machine.pid).net_connections() if one.status == "LISTEN"] == []
