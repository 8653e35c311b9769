"""Enrolling, renewing and recovering over the real ports, and who is turned away."""

from __future__ import annotations

import stat

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from control_plane.authority import open_authority
from control_plane.domain.permissions import SYSTEM
from control_plane.services.fleet import machines
from control_plane.store.audit import AuditRecord
from control_plane.store.machines import MachineRecord
from link_support import Link, TestMachine, code_of, hello, key_pem, new_key, signing_request
from patience import PATIENCE
from support import FakeClock
from tunesmith.v1 import fleet_pb2 as pb


def actions() -> list[str]:
    return [entry.action for entry in AuditRecord.select().order_by(AuditRecord.id)]


def refused(link: Link, token: str, machine: TestMachine) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refusal:
        link.enroll(token, machine)
    return refusal.value


def test_a_machine_joins_and_says_hello(link: Link) -> None:
    machine = link.join()

    certificate = x509.load_pem_x509_certificate(machine.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    fleet = open_authority(link.cp.settings.data).fleet
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://{fleet}/machine/{machine.id}"]
    with link.as_machine(machine) as stub:
        assert hello(stub).epoch == 1
        assert hello(stub).epoch == 2
    assert actions() == ["join_token.create", "machine.enroll"]


def test_the_authoritys_key_is_for_its_owner_alone(link: Link) -> None:
    folder = link.cp.settings.data / "authority"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"authority.key": 0o600, "authority.pem": 0o600}


def test_the_token_names_the_authority_by_its_key(link: Link) -> None:
    assert link.token().split(".")[2] == open_authority(link.cp.settings.data).key_hash


def test_a_wrong_secret_is_refused_and_audited(link: Link) -> None:
    token_id, _, pin = link.token().split(".")
    problem = refused(link, f"{token_id}.guessed.{pin}", TestMachine())
    assert (problem.code(), code_of(problem)) == (grpc.StatusCode.UNAUTHENTICATED, "join_token_refused")
    assert problem.details() == "The join token is unknown, expired or already used."
    assert actions()[-1] == "enrollment.refused"
    assert MachineRecord.select().count() == 0


def test_an_expired_token_is_refused(link: Link, clock: FakeClock) -> None:
    token = link.token(lifetime_seconds=60.0)
    clock.advance(61)
    assert code_of(refused(link, token, TestMachine())) == "join_token_refused"


def test_a_lost_answer_burns_nothing(link: Link, clock: FakeClock) -> None:
    token, machine = link.token(), TestMachine()
    first = link.enroll(token, machine)
    clock.advance(599)
    again = link.enroll(token, machine)
    assert (again.machine_id, again.generation) == (first.machine_id, first.generation)
    for certificate in (first.certificate, again.certificate):
        with link.fleet(key_pem(machine.key), certificate) as stub:
            hello(stub)


def test_the_same_key_is_refused_after_ten_minutes(link: Link, clock: FakeClock) -> None:
    token, machine = link.token(), TestMachine()
    link.enroll(token, machine)
    clock.advance(601)
    assert code_of(refused(link, token, machine)) == "join_token_refused"


def test_another_key_is_refused_and_alarmed(link: Link) -> None:
    token = link.token()
    link.enroll(token, TestMachine())
    assert code_of(refused(link, token, TestMachine())) == "join_token_refused"
    alarm = AuditRecord.select().order_by(AuditRecord.id.desc()).get()
    assert alarm.details == {"reason": "used_by_another_key"}
    assert MachineRecord.select().count() == 1


def test_a_newer_agent_is_refused_in_words(link: Link) -> None:
    token, machine = link.token(), TestMachine()
    with pytest.raises(grpc.RpcError) as refusal:
        link.enroll(token, machine, version="99.0.0")
    assert code_of(refusal.value) == "version_refused"
    assert "99.0.0" in refusal.value.details()
    link.enroll(token, machine)  # the token is still good


def test_words_come_in_the_callers_language(link: Link) -> None:
    with link.api() as stub, pytest.raises(grpc.RpcError) as refusal:
        stub.Enroll(
            pb.EnrollRequest(token="x.y", csr=b"no request", agent_version="0.1.0"),
            timeout=PATIENCE,
            metadata=(("accept-language", "de"),),
        )
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code_of(refusal.value) == "field_invalid"


def test_guessing_is_slowed_down(link: Link) -> None:
    codes = [code_of(refused(link, f"tsj_{number}.x.y", TestMachine())) for number in range(21)]
    assert codes == ["join_token_refused"] * 20 + ["too_many"]


def refused_hello(link: Link, key: bytes | None, certificate: bytes | None) -> grpc.RpcError:
    with link.fleet(key, certificate) as stub, pytest.raises(grpc.RpcError) as refusal:
        hello(stub)
    return refusal.value


def test_no_certificate_no_fleet(link: Link) -> None:
    assert refused_hello(link, None, None).code() is grpc.StatusCode.UNAVAILABLE  # the handshake fails


def test_a_certificate_of_another_fleet_is_refused(link: Link, tmp_path: object, clock: FakeClock) -> None:
    machine = link.join()
    other = open_authority(link.cp.settings.data / "other")
    foreign = other.issue(machine.id, machine.key.public_key(), clock(), 3600.0)
    assert refused_hello(link, key_pem(machine.key), foreign.certificate).code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_for_servers_is_refused(link: Link, clock: FakeClock) -> None:
    key, chain = open_authority(link.cp.settings.data).server_identity(frozenset({"localhost"}), clock())
    problem = refused_hello(link, key, chain)
    assert problem.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)


def test_a_serial_that_was_never_kept_is_refused(link: Link, clock: FakeClock) -> None:
    machine = link.join()
    forged = open_authority(link.cp.settings.data).issue(machine.id, machine.key.public_key(), clock(), 3600.0)
    problem = refused_hello(link, key_pem(machine.key), forged.certificate)
    assert (problem.code(), code_of(problem)) == (grpc.StatusCode.UNAUTHENTICATED, "certificate_refused")


def test_a_revoked_machine_is_refused_at_its_next_call(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        hello(stub)
        machines.revoke(SYSTEM, link.cp, machine.id)
        with pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
    assert code_of(refusal.value) == "certificate_refused"


def test_a_connection_does_not_outlive_its_certificate(link: Link, clock: FakeClock) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        hello(stub)
        clock.advance(link.cp.settings.certificate_server_seconds + 1)
        with pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
    assert code_of(refusal.value) == "certificate_refused"


def test_the_next_certificate_ends_the_present_one_when_it_is_used(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        renewed = stub.RenewCertificate(pb.RenewCertificateRequest(csr=signing_request(machine.key)), timeout=PATIENCE)
        hello(stub)  # the present one holds until then
        with link.fleet(key_pem(machine.key), renewed.certificate) as next_stub:
            hello(next_stub)
        with pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
    assert code_of(refusal.value) == "certificate_refused"
    assert renewed.generation == 2


def test_renewing_takes_the_enrolled_key_alone(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub, pytest.raises(grpc.RpcError) as refusal:
        stub.RenewCertificate(pb.RenewCertificateRequest(csr=signing_request(new_key())), timeout=PATIENCE)
    assert code_of(refusal.value) == "certificate_refused"


def recover(link: Link, machine: TestMachine, generation: int, key: ec.EllipticCurvePrivateKey) -> pb.RecoverReply:
    csr = signing_request(key)
    with link.api() as stub:
        nonce = stub.Recover(pb.RecoverRequest(machine_id=machine.id), timeout=PATIENCE).nonce
        signature = key.sign(nonce + csr, ec.ECDSA(hashes.SHA256()))
        request = pb.RecoverRequest(
            machine_id=machine.id, nonce=nonce, signature=signature, csr=csr, generation=generation
        )
        return stub.Recover(request, timeout=PATIENCE)  # type: ignore[no-any-return]


def test_a_machine_comes_back_after_its_certificate_expired(link: Link) -> None:
    machine = link.join()
    reply = recover(link, machine, machine.generation, machine.key)
    assert reply.generation == machine.generation + 1
    again = recover(link, machine, machine.generation, machine.key)  # the answer was lost
    with link.fleet(key_pem(machine.key), again.certificate) as stub:
        hello(stub)


def test_recovery_takes_the_enrolled_key_alone(link: Link) -> None:
    machine = link.join()
    with pytest.raises(grpc.RpcError) as refusal:
        recover(link, machine, machine.generation, new_key())
    assert code_of(refusal.value) == "certificate_refused"


def test_a_cloned_disk_is_locked(link: Link) -> None:
    machine = link.join()
    clone = recover(link, machine, machine.generation, machine.key)
    with link.fleet(key_pem(machine.key), clone.certificate) as stub:
        hello(stub)
        with pytest.raises(grpc.RpcError):  # the original, with the generation that it knows
            recover(link, machine, machine.generation, machine.key)
        with pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
    assert code_of(refusal.value) == "certificate_refused"
    assert "machine.lock" in actions()
