"""The fleet's authority: what it signs, and the nonces that only it can have made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from control_plane.authority import (
    NONCE_SECONDS,
    Authority,
    key_of_request,
    machine_id_of,
    open_authority,
    public_key_hash,
)
from control_plane.domain.errors import CertificateRefused, FieldInvalid
from link_support import new_key, signing_request
from support import START


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path)


def test_it_stays_the_same(authority: Authority, tmp_path: Path) -> None:
    again = Authority(tmp_path / "authority")
    assert (again.pem, again.fleet) == (authority.pem, authority.fleet)


def test_a_machines_certificate(authority: Authority) -> None:
    key = new_key()
    issued = authority.issue("7c0f", key.public_key(), START, 3600.0)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem))
    assert machine_id_of(certificate) == "7c0f"
    assert f"{certificate.serial_number:x}" == issued.serial
    assert certificate.not_valid_after_utc == datetime.fromtimestamp(START + 3600, UTC)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_servers_certificate_is_no_machines(authority: Authority) -> None:
    _, chain = authority.server_identity(frozenset({"127.0.0.1", "tunesmith.example"}), START)
    leaf, root = x509.load_pem_x509_certificates(chain)
    assert root == x509.load_pem_x509_certificate(authority.pem)  # so that an agent can pin it
    assert public_key_hash(root.public_key()) == authority.key_hash  # type: ignore[arg-type]
    with pytest.raises(CertificateRefused):
        machine_id_of(leaf)


def test_a_signing_request_beyond_measure_is_not_parsed() -> None:
    with pytest.raises(FieldInvalid) as refusal:
        key_of_request(signing_request(new_key()) + b"\n" * (16 << 10))
    assert refusal.value.params == {"field": "csr", "problem": "> 16384"}


@pytest.mark.parametrize(
    "csr", [b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
)
def test_what_is_no_signing_request(csr: bytes) -> None:
    with pytest.raises(FieldInvalid):
        key_of_request(csr)


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_other_keys_than_p256(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(FieldInvalid):
        key_of_request(signing_request(key))


def test_the_request_s_own_names_are_ignored(authority: Authority) -> None:
    key = new_key()
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")]))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://x/machine/other")]), False)
        .sign(key, hashes.SHA256())
    )
    taken = key_of_request(request.public_bytes(serialization.Encoding.PEM))
    certificate = x509.load_pem_x509_certificate(authority.issue("mine", taken, START, 60.0).certificate)
    assert machine_id_of(certificate) == "mine"
    assert "admin" not in certificate.subject.rfc4514_string()


def test_nonces(authority: Authority, tmp_path: Path) -> None:
    nonce = authority.nonce("a", START)
    authority.check_nonce("a", nonce, START + NONCE_SECONDS - 1)
    flipped = bytes([nonce[0], nonce[1] ^ 1]) + nonce[2:]
    other = open_authority(tmp_path / "other").nonce("a", START)
    for machine_id, refused, now in [
        ("a", nonce, START + NONCE_SECONDS + 1),
        ("a", nonce, START - 60),
        ("b", nonce, START),
        ("a", flipped, START),
        ("a", other, START),
        ("a", b"", START),
    ]:
        with pytest.raises(CertificateRefused):
            authority.check_nonce(machine_id, refused, now)
