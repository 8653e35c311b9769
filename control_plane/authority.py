"""The fleet's certificate authority: who a machine is, and how it knows that it speaks to its control plane.

Keys are P-256 and lie with mode 0600 in `<data>/authority/`. A machine's certificate names it by the SAN
`spiffe://<fleet>/machine/<uuid>`, where the fleet's name follows from the authority's public key.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from control_plane.domain.errors import CertificateRefused, FieldInvalid

_TEN_YEARS = timedelta(days=3652)
_SKEW = timedelta(minutes=10)  # a machine's clock may be behind
NONCE_SECONDS = 300.0
_LONGEST_REQUEST = 16 << 10  # bytes of a signing request; one with a P-256 key takes less than a thousand


@dataclass(frozen=True)
class Issued:
    """A machine's new certificate: PEM, and its serial number in hexadecimal."""

    certificate: bytes
    serial: str


class Authority:
    """The authority in `folder`; `open_authority` makes it where there is none yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self.pem = (folder / "authority.pem").read_bytes()
        self._certificate = x509.load_pem_x509_certificate(self.pem)
        self.key_hash = public_key_hash(key.public_key())
        self.fleet = f"{self.key_hash[:32]}.tunesmith"

    def issue(self, machine_id: str, public_key: ec.EllipticCurvePublicKey, now: float, seconds: float) -> Issued:
        """A client certificate for a machine, valid for `seconds` from `now`."""
        begin = datetime.fromtimestamp(now, UTC)
        certificate = (
            self._builder(public_key, machine_id, begin, begin + timedelta(seconds=seconds))
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(f"spiffe://{self.fleet}/machine/{machine_id}")]
                ),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), f"{certificate.serial_number:x}")

    def server_identity(self, hosts: frozenset[str], now: float) -> tuple[bytes, bytes]:
        """Key and certificate chain (PEM) of the gRPC ports, with `hosts` as names; made anew at each start."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.fromtimestamp(now, UTC)
        certificate = (
            self._builder(key.public_key(), "Tunesmith control plane", begin, begin + _TEN_YEARS)
            .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in sorted(hosts)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        # the authority's own certificate goes along, so that an agent can pin it by the key hash in its join token
        return _key_pem(key), certificate.public_bytes(serialization.Encoding.PEM) + self.pem

    @property
    def audit_key(self) -> bytes:
        """The key of the audit record's chain: see services/audit_chain.py."""
        return hashlib.sha256(b"tunesmith audit record" + _key_pem(self._key)).digest()

    def nonce(self, machine_id: str, now: float) -> bytes:
        """A nonce that only this fleet can have made, for one machine, good for five minutes; nothing is stored."""
        body = int(now).to_bytes(8, "big") + secrets.token_bytes(16)
        return body + self._seal(machine_id, body)

    def check_nonce(self, machine_id: str, nonce: bytes, now: float) -> None:
        """Raises CertificateRefused for a nonce that is foreign, of another machine, or too old."""
        body, seal = nonce[:24], nonce[24:]
        age = now - int.from_bytes(body[:8], "big")
        if not hmac.compare_digest(seal, self._seal(machine_id, body)) or not -1 <= age <= NONCE_SECONDS:
            raise CertificateRefused

    def _seal(self, machine_id: str, body: bytes) -> bytes:
        key = hashlib.sha256(b"tunesmith recovery nonce" + _key_pem(self._key)).digest()
        return hmac.digest(key, machine_id.encode() + body, "sha256")

    def _builder(
        self, public_key: ec.EllipticCurvePublicKey, name: str, begin: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin - _SKEW)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


@cache
def open_authority(data: Path) -> Authority:
    """The authority of a control plane's data folder, made on the first call."""
    folder = data / "authority"
    if not (folder / "authority.pem").is_file():
        _make(folder)
    return Authority(folder)


def key_of_request(csr: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of a PEM signing request, the only thing in it that is used.

    Raises FieldInvalid for what is not a P-256 request signed by its own key.
    """
    if len(csr) > _LONGEST_REQUEST:
        raise FieldInvalid(field="csr", problem=f"> {_LONGEST_REQUEST}")
    try:
        request = x509.load_pem_x509_csr(csr)
        key = request.public_key()
        signed = request.is_signature_valid
    except (ValueError, InvalidSignature) as problem:
        raise FieldInvalid(field="csr", problem=str(problem)) from problem
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or not signed:
        raise FieldInvalid(field="csr", problem="P-256")
    return key


def public_key_hash(key: ec.EllipticCurvePublicKey) -> str:
    """sha256 of the SubjectPublicKeyInfo (DER), lower-case hexadecimal."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def check_signature(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Raises CertificateRefused unless `signature` is `key`'s ECDSA-SHA256 over `message`."""
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise CertificateRefused from problem


def machine_id_of(certificate: x509.Certificate) -> str:
    """The machine that a client certificate names. Raises CertificateRefused for any other kind of certificate."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as problem:
        raise CertificateRefused from problem
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    parts = uris[0].split("/") if len(uris) == 1 else []
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage or len(parts) != 5 or parts[0] != "spiffe:":
        raise CertificateRefused
    return parts[4]


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tunesmith fleet")])
    begin = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(begin + 2 * _TEN_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    # the certificate comes last: a half-made authority is made again
    write_private(folder / "authority.key", _key_pem(key))
    write_private(folder / "authority.pem", certificate.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Written whole or not at all, readable by its owner alone."""
    partial = path.with_suffix(path.suffix + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    partial.replace(path)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
