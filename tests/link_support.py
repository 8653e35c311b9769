"""A machine for tests of the link: it enrols, and calls over mutual TLS with whatever certificate a test gives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from control_plane.authority import open_authority
from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.rpc.server import Server
from control_plane.services.fleet.enrollment import create_join_token
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signing_request(key: ec.EllipticCurvePrivateKey, name: str = "ignored") -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


@dataclass
class TestMachine:
    """A key and what enrollment gave for it."""

    __test__ = False

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    id: str = ""
    certificate: bytes = b""
    generation: int = 0


@dataclass(frozen=True)
class Link:
    """The ports of one control plane."""

    cp: ControlPlane
    server: Server

    def token(self, **changes: object) -> str:
        return create_join_token(SYSTEM, self.cp, "server", **changes)[0]  # type: ignore[arg-type]

    def enroll(self, token: str, machine: TestMachine, version: str = "0.1.0") -> pb.EnrollReply:
        """Redeem a token over the api port; the machine keeps what it gets."""
        with self.api() as stub:
            reply = stub.Enroll(
                pb.EnrollRequest(
                    token=token, csr=signing_request(machine.key), hostname="bench-1", agent_version=version
                ),
                timeout=PATIENCE,
            )
        machine.id, machine.certificate, machine.generation = reply.machine_id, reply.certificate, reply.generation
        return reply

    def join(self) -> TestMachine:
        machine = TestMachine()
        self.enroll(self.token(), machine)
        return machine

    @contextmanager
    def api(self) -> Iterator[fleet_pb2_grpc.EnrollmentStub]:
        credentials = grpc.ssl_channel_credentials(open_authority(self.cp.settings.data).pem)
        with grpc.secure_channel(f"127.0.0.1:{self.server.api_port}", credentials) as channel:
            yield fleet_pb2_grpc.EnrollmentStub(channel)

    @contextmanager
    def fleet(self, key: bytes | None, certificate: bytes | None) -> Iterator[fleet_pb2_grpc.FleetStub]:
        credentials = grpc.ssl_channel_credentials(open_authority(self.cp.settings.data).pem, key, certificate)
        # each test has its own connection: a shared one would carry another certificate's handshake
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.secure_channel(f"127.0.0.1:{self.server.fleet_port}", credentials, options) as channel:
            yield fleet_pb2_grpc.FleetStub(channel)

    @contextmanager
    def as_machine(self, machine: TestMachine) -> Iterator[fleet_pb2_grpc.FleetStub]:
        with self.fleet(key_pem(machine.key), machine.certificate) as stub:
            yield stub


def hello(stub: fleet_pb2_grpc.FleetStub, **changes: object) -> pb.HelloReply:
    values: dict[str, object] = {
        "agent_version": "0.1.0",
        "boot_id": "boot-1",
        "inventory": pb.Inventory(
            hostname="bench-1",
            system="linux",
            memory_total=8 << 30,
            devices=[pb.Device(uuid="cpu:0", kind="cpu", memory_total=8 << 30, healthy=True)],
            platforms=["cpu"],
        ),
    }
    return stub.Hello(pb.HelloRequest(**(values | changes)), timeout=PATIENCE)  # type: ignore[no-any-return,arg-type]


def code_of(error: grpc.RpcError) -> str:
    """The domain's error code from the trailing metadata."""
    return dict(error.trailing_metadata() or ()).get("tunesmith-code", "")  # type: ignore[attr-defined]
