"""What strangers can do to the doors of a real server: memory, connections."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psutil
import pytest

from control_plane.authority import open_authority
from control_plane.single_start import Running
from link_support import TIMEOUT
from server_process import free_environment, started, wait_ready
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

MIB = 1 << 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[Running]:
    environment = free_environment(data)
    with started(environment) as process:
        yield wait_ready(environment, process)


def resident(server: Running) -> int:
    """Bytes in memory of the server's processes."""
    arbiter = psutil.Process(server.pid)
    return sum(process.memory_info().rss for process in (arbiter, *arbiter.children()))


def test_a_stranger_cannot_fill_the_memory(server: Running, data: Path) -> None:
    """40 calls at once, each with a signing request of 15 MB and no token that is worth anything."""
    request = pb.EnrollRequest(token="x.y", csr=bytes(15_000_000), hostname="h", agent_version="0.1.0")
    before = resident(server)

    def call(_: int) -> grpc.StatusCode:
        credentials = grpc.ssl_channel_credentials(open_authority(data).pem)
        own = [("grpc.use_local_subchannel_pool", 1)]
        with (
            grpc.secure_channel(server.api_address, credentials, own) as channel,
            pytest.raises(grpc.RpcError) as refusal,
        ):
            fleet_pb2_grpc.EnrollmentStub(channel).Enroll(request, timeout=TIMEOUT)
        return refusal.value.code()  # type: ignore[no-any-return,attr-defined]

    with ThreadPoolExecutor(10) as callers:
        codes = set(callers.map(call, range(40)))
    assert resident(server) - before < 100 * MIB
    assert codes == {grpc.StatusCode.RESOURCE_EXHAUSTED}
