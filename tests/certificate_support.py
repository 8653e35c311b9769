"""Certificates for a test's own servers, and the authority that vouches for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Known:
    """A certificate for `localhost` with its key, both in PEM, and a file with the authority that vouches for it."""

    certificate: bytes
    key: bytes
    authority: Path


def certificates(folder: Path) -> Known:
    """Fresh ones; the authority's lies in the folder."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "authority.pem"
    file.write_bytes(_certificate("an authority", authority, authority).public_bytes(pem))
    certificate = _certificate("localhost", key, authority).public_bytes(pem)
    return Known(certificate, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), file)


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    def called(one: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)])

    now, of_authority = datetime.now(UTC), x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    builder = x509.CertificateBuilder().subject_name(called(name)).issuer_name(called("an authority"))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    for extension, is_critical in (
        (x509.BasicConstraints(ca=key is authority, path_length=None), True),
        (x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_authority), False),
        (x509.KeyUsage(key is not authority, *[False] * 4, key is authority, *[key is authority] + [False] * 2), True),
    ):
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(authority, hashes.SHA256())
