"""Who this machine is: a P-256 key that never leaves it, and a short-lived certificate.

The key lies with mode 0600 in `<data>/machine.key`; the rest is one fact in the store, replaced at once.
"""

from __future__ import annotations

import hashlib
import logging
import random
import socket
import ssl
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent import __version__
from agent.link import calls as link
from agent.settings import Settings
from agent.storage.files import write_private
from agent.storage.state import Store
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_REFUSED_SECONDS = 60.0  # a renewal that failed is asked for again


class TokenMalformed(ValueError):
    """The join token is not of the form tsj_<id>.<secret>.<fingerprint>."""


class AuthorityMismatch(Exception):
    """The server does not show the certificate authority that the join token names: somebody is in between."""


@dataclass(frozen=True)
class Identity:
    """What enrollment gave, and what the certificate says about its own life (seconds since the epoch)."""

    machine_id: str
    api_address: str
    fleet_address: str
    certificate: str  # PEM
    authority: str  # PEM
    generation: int
    not_before: float
    not_after: float


def load(store: Store) -> Identity | None:
    """The identity, or None on a machine that has not joined."""
    kept = store.fact("identity")
    return Identity(**kept) if kept else None


def follow(settings: Settings, store: Store, identity: Identity) -> None:
    """Write down where the control plane has moved to, if the settings say so. The pinned authority stays."""
    moved = replace(
        identity,
        api_address=settings.api_address or identity.api_address,
        fleet_address=settings.fleet_address or identity.fleet_address,
    )
    if moved != identity:
        store.keep("identity", asdict(moved))


def credentials(settings: Settings, identity: Identity) -> link.Credentials:
    """Key and certificates for the link."""
    key = _key_path(settings).read_bytes()
    return link.Credentials(key, identity.certificate.encode(), identity.authority.encode())


def join(settings: Settings, store: Store, address: str, token: str) -> Identity:
    """Enroll with a join token at the api address (host:port).

    Raises TokenMalformed, AuthorityMismatch, link.Refused (token unknown, expired, used) and link.Unreachable.
    """
    parts = token.strip().split(".")
    if len(parts) != 3 or not all(parts) or len(parts[2]) != 64:
        raise TokenMalformed
    authority = pinned_authority(address, parts[2])
    request = pb.EnrollRequest(
        token=f"{parts[0]}.{parts[1]}",
        csr=_signing_request(settings),
        hostname=socket.gethostname(),
        agent_version=__version__,
    )
    reply: pb.EnrollReply = link.ask_enrollment(address, authority, request)
    begin, end = _life(reply.certificate)
    identity = Identity(
        reply.machine_id, address, reply.fleet_address, reply.certificate.decode(), authority.decode(),
        reply.generation, begin, end,
    )  # fmt: skip
    store.keep("identity", asdict(identity))
    return identity


def renew(settings: Settings, store: Store, identity: Identity, connection: link.Link) -> Identity:
    """A new certificate for the same key, over the link itself. Raises link.Refused and link.LinkClosed."""
    reply: pb.RenewCertificateReply = connection.ask(pb.RenewCertificateRequest(csr=_signing_request(settings)))
    return _replaced(store, identity, reply.certificate, reply.generation)


def recover(settings: Settings, store: Store, identity: Identity) -> Identity:
    """A new certificate after the old one expired: the enrolled key signs the control plane's nonce.

    Raises link.Refused (revoked, too late, or a cloned disk) and link.Unreachable.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    authority, csr = identity.authority.encode(), _signing_request(settings)
    request = pb.RecoverRequest(machine_id=identity.machine_id, csr=csr, generation=identity.generation)
    first: pb.RecoverReply = link.ask_enrollment(identity.api_address, authority, request)
    request.nonce = first.nonce
    request.signature = _key(settings).sign(first.nonce + csr, ec.ECDSA(hashes.SHA256()))
    second: pb.RecoverReply = link.ask_enrollment(identity.api_address, authority, request)
    return _replaced(store, identity, second.certificate, second.generation)


def renewal_time(identity: Identity) -> float:
    """When to renew: at half of the certificate's life, ±10 % so that a fleet does not renew at once."""
    life = identity.not_after - identity.not_before
    return identity.not_before + life * random.uniform(0.45, 0.55)


def keep_fresh(settings: Settings, store: Store, connection: link.Link, stopping: threading.Event) -> None:
    """The renewal loop: ends with the link. What is refused, or cannot be written down, is asked for again."""
    identity = load(store)
    assert identity is not None
    due = renewal_time(identity)
    while not stopping.wait(min(60.0, max(1.0, due - time.time()))):
        if time.time() < due:
            continue
        try:
            identity = renew(settings, store, identity, connection)
        except (link.Refused, OSError) as problem:
            log.error("the certificate is not renewed: %s", problem)
            due = time.time() + _REFUSED_SECONDS
            continue
        connection.reopen(credentials(settings, identity))
        due = renewal_time(identity)


def pinned_authority(address: str, fingerprint: str) -> bytes:
    """The PEM of the authority in the server's chain whose public key has this sha256. Raises AuthorityMismatch.

    Nothing is sent but the TLS greeting: the token leaves the machine only after this check.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    for der in _chain(address):
        certificate = x509.load_der_x509_certificate(der)
        public = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if hashlib.sha256(public).hexdigest() == fingerprint:
            return certificate.public_bytes(serialization.Encoding.PEM)
    raise AuthorityMismatch


def _chain(address: str) -> list[bytes]:
    """The certificates (DER) that the server shows, unverified."""
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=host.strip("[]")) as secured,
        ):
            if hasattr(secured, "get_unverified_chain"):  # public from Python 3.13 on
                return [bytes(der) for der in secured.get_unverified_chain()]
            inner: Any = secured._sslobj  # type: ignore[attr-defined]  # older Pythons have it one layer deeper
            return [ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in inner.get_unverified_chain()]
    except (OSError, ValueError) as problem:
        raise link.Unreachable(f"{address}: {problem}") from problem


def _replaced(store: Store, identity: Identity, certificate: bytes, generation: int) -> Identity:
    begin, end = _life(certificate)
    fresh = replace(identity, certificate=certificate.decode(), generation=generation, not_before=begin, not_after=end)
    store.keep("identity", asdict(fresh))
    return fresh


def _key_path(settings: Settings) -> Path:
    return settings.data / "machine.key"


def _key(settings: Settings):  # type: ignore[no-untyped-def]  # the type would load cryptography into every agent
    """The machine's key, made on first use. cryptography is loaded only here and now: an idle agent stays small."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = _key_path(settings)
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(
            path,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
    return serialization.load_pem_private_key(path.read_bytes(), None)


def _signing_request(settings: Settings) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tunesmith machine")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(_key(settings), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def _life(certificate: bytes) -> tuple[float, float]:
    from cryptography import x509

    parsed = x509.load_pem_x509_certificate(certificate)
    return parsed.not_valid_before_utc.timestamp(), parsed.not_valid_after_utc.timestamp()
