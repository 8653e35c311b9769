"""How a machine becomes known, stays known and is recognised: join tokens, certificates, recovery."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from importlib.metadata import version

from cryptography.hazmat.primitives.asymmetric import ec

from control_plane.authority import Issued, check_signature, key_of_request, open_authority, public_key_hash
from control_plane.context import ControlPlane
from control_plane.domain import versions
from control_plane.domain.addresses import at_port, is_anybodys, is_loopback
from control_plane.domain.errors import AddressLoopback, CertificateRefused, FieldInvalid, JoinTokenRefused, NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit
from control_plane.services.fleet import attempts
from control_plane.store.database import transaction
from control_plane.store.machines import JoinTokenRecord, MachineRecord

CONTROL_PLANE_VERSION = version("tunesmith")
MACHINE_CLASSES = ("server", "laptop")
_SAME_KEY_SECONDS = 600.0  # how long a lost answer may be asked for again


@dataclass(frozen=True)
class Credentials:
    """A machine's certificate. `generation` is raised by each one that came into use; PEM values."""

    machine_id: str
    certificate: bytes
    authority: bytes
    generation: int


def create_join_token(
    actor: Actor, cp: ControlPlane, machine_class: str, lifetime_seconds: float = 0.0
) -> tuple[str, JoinTokenRecord]:
    """A token that lets one machine join: `tsj_<id>.<secret>.<sha256 of the authority's public key>`, shown once.

    `lifetime_seconds` 0 takes the longest that is allowed. Raises Denied, FieldInvalid.
    """
    require(actor, "machine.join")
    if machine_class not in MACHINE_CLASSES:
        raise FieldInvalid(field="machine_class", problem=" | ".join(MACHINE_CLASSES))
    longest = cp.settings.join_token_seconds
    if not 0 <= lifetime_seconds <= longest:
        raise FieldInvalid(field="lifetime_seconds", problem=f"0 … {longest:.0f}")
    token_id, secret, now = secrets.token_hex(8), secrets.token_urlsafe(32), cp.clock()
    with transaction():
        row = JoinTokenRecord.create(
            id=token_id,
            secret_hash=_sha256(secret),
            machine_class=machine_class,
            created_by=actor.id,
            created_at=now,
            expires_at=now + (lifetime_seconds or longest),
        )
        audit.record(actor, cp, "join_token.create", f"join_token:{token_id}", machine_class=machine_class)
    return f"tsj_{token_id}.{secret}.{open_authority(cp.settings.data).key_hash}", row


def join_address(cp: ControlPlane) -> str:
    """Where other machines join, as host:port. Raises AddressLoopback: none of them could."""
    host = cp.settings.public_host
    if is_loopback(host) or is_anybodys(host):
        raise AddressLoopback(address=host)
    return at_port(host, cp.settings.api_port)


def joined(actor: Actor, cp: ControlPlane, token_id: str) -> tuple[JoinTokenRecord, MachineRecord | None]:
    """A join token, and the machine that joined with it. Raises Denied, NotFound."""
    require(actor, "machine.join")
    token = JoinTokenRecord.get_or_none(JoinTokenRecord.id == token_id)
    if token is None:
        raise NotFound
    return token, MachineRecord.get_or_none(MachineRecord.id == token.machine_id)


def enroll(
    cp: ControlPlane, token: str, csr: bytes, hostname: str, agent_version: str, address: str = ""
) -> Credentials:
    """Redeem a join token for a machine's first certificate.

    The same key within ten minutes gets the same machine again, so a lost answer burns nothing; another key is refused
    and audited. Raises JoinTokenRefused, VersionRefused, FieldInvalid.
    """
    key = key_of_request(csr)
    key_hash = public_key_hash(key)
    versions.check(agent_version, CONTROL_PLANE_VERSION)
    token_id, _, rest = token.removeprefix("tsj_").partition(".")
    secret_hash = _sha256(rest.partition(".")[0])
    with transaction():
        row = _known_token(token_id, secret_hash)
        machine = _admit(cp, row, key_hash, hostname) if row else None
        stranger = Actor(kind="machine", id="", name=hostname[:200], address=address)
        if machine is None:
            reason = "used_by_another_key" if row and row.used_at and row.key_hash != key_hash else "not_valid"
            # what was sent may be a secret without its id: only an id that exists is written down
            named = token_id if JoinTokenRecord.get_or_none(JoinTokenRecord.id == token_id) else "unknown"
            audit.record(stranger, cp, "enrollment.refused", f"join_token:{named}", reason=reason)
        else:
            issued = _issue(cp, machine, key)
            _keep_serial(machine, issued)
            actor = Actor(kind="machine", id=machine.id, name=machine.name, address=address)
            audit.record(actor, cp, "machine.enroll", f"machine:{machine.id}", join_token=token_id)
    if machine is None:
        raise JoinTokenRefused
    cp.signals.wake("fleet")
    return _credentials(cp, machine.id, issued, int(machine.generation))


def renew(actor: Actor, cp: ControlPlane, csr: bytes) -> Credentials:
    """A machine's next certificate, for the key it enrolled with. The present one stays valid until the next is used.

    Raises CertificateRefused, FieldInvalid.
    """
    key = key_of_request(csr)
    with transaction():
        machine = _open_machine(actor.id)
        if public_key_hash(key) != machine.key_hash:
            raise CertificateRefused
        issued = _succeed(cp, machine, key)
        audit.record(actor, cp, "machine.renew", f"machine:{machine.id}", generation=machine.generation)
    return _credentials(cp, machine.id, issued, int(machine.generation))


def recovery_nonce(cp: ControlPlane, machine_id: str) -> bytes:
    """What a machine with an expired certificate has to sign. Anybody may ask: it gives nothing away."""
    return open_authority(cp.settings.data).nonce(machine_id, cp.clock())


def recover(
    cp: ControlPlane, machine_id: str, nonce: bytes, signature: bytes, csr: bytes, generation: int, address: str = ""
) -> Credentials:
    """A new certificate for a machine whose last one expired, for its enrolled key's `signature` over nonce || csr.

    A generation that does not match means that the disk was cloned: the machine is locked and the audit says so.
    Raises CertificateRefused, FieldInvalid.
    """
    key = key_of_request(csr)
    open_authority(cp.settings.data).check_nonce(machine_id, nonce, cp.clock())
    check_signature(key, signature, nonce + csr)
    with transaction():
        machine = _open_machine(machine_id)
        actor = Actor(kind="machine", id=machine.id, name=machine.name, address=address)
        if public_key_hash(key) != machine.key_hash or _gone_too_long(cp, machine):
            raise CertificateRefused
        # one behind is the machine that never received its newest certificate
        cloned = generation != machine.generation and not (machine.next_serial and generation == machine.generation - 1)
        if cloned:
            topics = lock(actor, cp, machine.id, "cloned")
        else:
            issued = _succeed(cp, machine, key)
            audit.record(actor, cp, "machine.recover", f"machine:{machine.id}", generation=machine.generation)
    if cloned:
        cp.signals.wake(*topics)
        raise CertificateRefused
    return _credentials(cp, machine.id, issued, int(machine.generation))


def authenticate(cp: ControlPlane, machine_id: str, serial: str, not_after: float, address: str = "") -> Actor:
    """The machine behind a client certificate whose chain was verified by the handshake.

    The serial is compared at each call, so a revocation works at once. The next certificate becomes the present one
    on its first use. Raises CertificateRefused.
    """
    machine = _open_machine(machine_id)
    if not_after <= cp.clock():  # a connection may outlive the certificate it was opened with
        raise CertificateRefused
    if serial != machine.serial:
        if not machine.next_serial or serial != machine.next_serial:
            raise CertificateRefused
        with transaction():
            MachineRecord.update(serial=serial, next_serial="").where(
                MachineRecord.id == machine_id, MachineRecord.next_serial == serial
            ).execute()
    return Actor(kind="machine", id=machine.id, name=machine.name, address=address)


def lock(actor: Actor, cp: ControlPlane, machine_id: str, reason: str) -> list[str]:
    """Refuse a machine from now on and end what it holds, inside a transaction; the topics to wake after it."""
    MachineRecord.update(locked_reason=reason).where(MachineRecord.id == machine_id).execute()
    audit.record(actor, cp, "machine.lock", f"machine:{machine_id}", reason=reason)
    return [f"machine:{machine_id}", "fleet", "schedule", *attempts.lose_all(actor, cp, machine_id)]


def _known_token(token_id: str, secret_hash: str) -> JoinTokenRecord | None:
    row: JoinTokenRecord | None = JoinTokenRecord.get_or_none(JoinTokenRecord.id == token_id)
    return row if row and hmac.compare_digest(str(row.secret_hash), secret_hash) else None


def _admit(cp: ControlPlane, token: JoinTokenRecord, key_hash: str, hostname: str) -> MachineRecord | None:
    now, machine_id = cp.clock(), str(uuid.uuid4())
    claimed = (
        JoinTokenRecord.update(key_hash=key_hash, machine_id=machine_id, used_at=now)
        .where(JoinTokenRecord.id == token.id, JoinTokenRecord.used_at == 0, JoinTokenRecord.expires_at > now)
        .execute()
    )
    if claimed:
        return MachineRecord.create(
            id=machine_id,
            name=hostname[:200] or machine_id,
            machine_class=token.machine_class,
            key_hash=key_hash,
            serial="",
            enrolled_at=now,
        )
    if token.key_hash == key_hash and now - token.used_at <= _SAME_KEY_SECONDS:
        return _open_machine(str(token.machine_id))
    return None


def _keep_serial(machine: MachineRecord, issued: Issued) -> None:
    """The first certificate is the present one; a repeated answer's stands beside it until it is used."""
    column = "next_serial" if machine.serial else "serial"
    MachineRecord.update({column: issued.serial}).where(MachineRecord.id == machine.id).execute()


def _succeed(cp: ControlPlane, machine: MachineRecord, key: ec.EllipticCurvePublicKey) -> Issued:
    issued = _issue(cp, machine, key)
    # a next certificate that was never used does not count: its answer was lost
    machine.generation = int(machine.generation) + (0 if machine.next_serial else 1)
    MachineRecord.update(next_serial=issued.serial, generation=machine.generation).where(
        MachineRecord.id == machine.id
    ).execute()
    return issued


def _issue(cp: ControlPlane, machine: MachineRecord, key: ec.EllipticCurvePublicKey) -> Issued:
    settings = cp.settings
    laptop = machine.machine_class == "laptop"
    seconds = settings.certificate_laptop_seconds if laptop else settings.certificate_server_seconds
    return open_authority(settings.data).issue(str(machine.id), key, cp.clock(), seconds)


def _open_machine(machine_id: str) -> MachineRecord:
    machine: MachineRecord | None = MachineRecord.get_or_none(MachineRecord.id == machine_id)
    if machine is None or machine.locked_reason:
        raise CertificateRefused
    return machine


def _gone_too_long(cp: ControlPlane, machine: MachineRecord) -> bool:
    life = max(cp.settings.certificate_server_seconds, cp.settings.certificate_laptop_seconds)
    heard = max(float(machine.last_seen), float(machine.enrolled_at))
    return cp.clock() - heard > life + cp.settings.recover_seconds


def _credentials(cp: ControlPlane, machine_id: str, issued: Issued, generation: int) -> Credentials:
    return Credentials(machine_id, issued.certificate, open_authority(cp.settings.data).pem, generation)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
