"""Every call is measured, under its name and how it ended."""

import threading

import grpc
import pytest

from link_support import TIMEOUT, Link, hello
from tunesmith.v1 import fleet_pb2 as pb


def counted(link: Link, method: str, code: str) -> float:
    value = link.cp.metrics.registry.get_sample_value("tunesmith_rpc_seconds_count", {"method": method, "code": code})
    return value or 0.0


def becomes(link: Link, method: str, code: str, count: float) -> None:
    """A call is counted once its answer is on its way, so the caller may be first."""
    pause = threading.Event()
    for _ in range(2_000):
        if counted(link, method, code) == count:
            return
        pause.wait(0.005)
    raise AssertionError(f"{method} {code}: {counted(link, method, code)} instead of {count}")


def test_good_and_bad_calls_are_counted(link: Link) -> None:
    with link.as_machine(link.join()) as stub:
        epoch = hello(stub).epoch
        for _ in range(3):
            stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch), timeout=TIMEOUT)
        with pytest.raises(grpc.RpcError):
            stub.Accept(pb.AcceptRequest(attempt_id=99, fence=1), timeout=TIMEOUT)
    becomes(link, "Enroll", "OK", 1)
    becomes(link, "Hello", "OK", 1)
    becomes(link, "Heartbeat", "OK", 3)
    becomes(link, "Accept", "NOT_FOUND", 1)
