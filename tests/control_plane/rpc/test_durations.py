"""Every call is measured, under its name and how it ended."""

import grpc
import pytest

from link_support import Link, hello
from patience import PATIENCE, wait_until
from tunesmith.v1 import fleet_pb2 as pb


def counted(link: Link, method: str, code: str) -> float:
    value = link.cp.metrics.registry.get_sample_value("tunesmith_rpc_seconds_count", {"method": method, "code": code})
    return value or 0.0


def becomes(link: Link, method: str, code: str, count: float) -> None:
    """A call is counted once its answer is on its way, so the caller may be first."""
    wait_until(lambda: counted(link, method, code) == count)


def test_good_and_bad_calls_are_counted(link: Link) -> None:
    with link.as_machine(link.join()) as stub:
        epoch = hello(stub).epoch
        for _ in range(3):
            stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch), timeout=PATIENCE)
        with pytest.raises(grpc.RpcError):
            stub.Accept(pb.AcceptRequest(attempt_id=99, fence=1), timeout=PATIENCE)
    becomes(link, "Enroll", "OK", 1)
    becomes(link, "Hello", "OK", 1)
    becomes(link, "Heartbeat", "OK", 3)
    becomes(link, "Accept", "NOT_FOUND", 1)
