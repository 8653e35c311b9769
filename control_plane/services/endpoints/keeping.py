"""A project's endpoints: where they are, what is asked there, and how often. Their keys are sealed and never shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.errors import (
    EndpointAddressInvalid,
    EndpointGone,
    EndpointKeyNeeded,
    EndpointSpent,
    FieldInvalid,
    NotFound,
)
from control_plane.domain.permissions import Actor
from control_plane.outward import pinned
from control_plane.services import audit, secrets
from control_plane.services.access import projects
from control_plane.store.database import transaction
from control_plane.store.endpoints import EndpointRecord

KEY = "key"  # the name of the secret
DAILY_CALLS, MOST_DAILY_CALLS = 1_000, 1_000_000

_PATH = "/chat/completions"
_LONGEST_MODEL = 200  # characters
_LONGEST_ADDRESS = 1_000
_DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Wanted:
    """An endpoint as it is to be. Without a key the stored one stays, if the server is the same."""

    address: str  # https://…/v1
    model: str
    key: str = ""
    daily_calls: int = DAILY_CALLS


def save(actor: Actor, cp: ControlPlane, project: str, name: str, wanted: Wanted) -> EndpointRecord:
    """Make the endpoint of this name, or change it; nothing is asked there yet.

    Raises NotFound, Denied, NameInvalid, FieldInvalid, EndpointAddressInvalid, EndpointKeyNeeded.
    """
    project_id = projects.get(actor, cp, project, "endpoint.change").id
    names.checked(name)
    address, model = _address(wanted.address), _model(wanted.model)
    if not wanted.key.isascii() or not wanted.key.strip().isprintable():
        raise FieldInvalid(field=KEY, problem="ASCII")
    if not 1 <= wanted.daily_calls <= MOST_DAILY_CALLS:
        raise FieldInvalid(field="daily_calls", problem=f"1 … {MOST_DAILY_CALLS}")
    now = cp.clock()
    columns = {"address": address, "model": model, "daily_calls": wanted.daily_calls, "changed_at": now}
    with transaction():
        found = _named(project_id, name)
        if found is None:
            secret = secrets.keep(actor, cp, project_id, {KEY: wanted.key.strip()})
            made = {"project": project_id, "name": name, "created_by": actor.id, "created_at": now}
            found = EndpointRecord.create(**made, secret=secret, **columns)
        else:
            EndpointRecord.update(**columns).where(EndpointRecord.id == found.id).execute()
            _renew_key(actor, cp, found, address, wanted.key.strip())
        said = {"name": name, "place": place(address), "model": model}
        audit.record(actor, cp, "endpoint.save", _subject(found), project_id, **said)
    cp.signals.wake(f"project:{project_id}")
    return get(actor, cp, int(found.id))


def get(actor: Actor, cp: ControlPlane, endpoint_id: int, permission: str = "endpoint.use") -> EndpointRecord:
    """An endpoint. Raises NotFound, Denied, InTrash with its project."""
    found: EndpointRecord = projects.inside(actor, EndpointRecord, endpoint_id, permission)
    return found


def named(actor: Actor, cp: ControlPlane, project: str, name: str) -> EndpointRecord:
    """The project's endpoint of this name. Raises NotFound, Denied."""
    found = _named(projects.get(actor, cp, project, "endpoint.use").id, name)
    if found is None:
        raise NotFound
    return found


def list_endpoints(actor: Actor, cp: ControlPlane, project: str) -> list[EndpointRecord]:
    """The project's endpoints, by name. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "endpoint.use").id
    query = EndpointRecord.select().where(EndpointRecord.project == project_id)
    return list(query.order_by(EndpointRecord.name))


def remove(actor: Actor, cp: ControlPlane, endpoint_id: int) -> None:
    """Forget an endpoint and its key for good; what it answered stays. Raises NotFound, Denied."""
    endpoint = get(actor, cp, endpoint_id, "endpoint.change")
    with transaction():
        if EndpointRecord.delete().where(EndpointRecord.id == endpoint.id).execute():
            secrets.remove(endpoint.secret_id)
            audit.record(actor, cp, "endpoint.remove", _subject(endpoint), endpoint.project_id, name=endpoint.name)
    cp.signals.wake(f"project:{endpoint.project_id}")


def calls_today(cp: ControlPlane, endpoint: EndpointRecord) -> int:
    """How often it was asked since midnight (UTC)."""
    return int(endpoint.calls) if endpoint.day == _today(cp) else 0


def count_call(cp: ControlPlane, endpoint: EndpointRecord) -> None:
    """Note that it is asked once more. Raises EndpointSpent where it may not be, EndpointGone."""
    mine, today = EndpointRecord.id == endpoint.id, _today(cp)
    with transaction():
        EndpointRecord.update(calls=0, day=today).where(mine, EndpointRecord.day != today).execute()
        one_more = EndpointRecord.update(calls=EndpointRecord.calls + 1)
        if one_more.where(mine, EndpointRecord.calls < EndpointRecord.daily_calls).execute():
            return
        now = EndpointRecord.get_or_none(mine)
    if now is None:
        raise EndpointGone(name=endpoint.name)
    raise EndpointSpent(name=endpoint.name, most=now.daily_calls)


def place(address: str) -> str:
    """The host, as people are told it."""
    return parts(address).netloc[:200]


def parts(address: str) -> SplitResult:
    """Raises EndpointAddressInvalid."""
    try:
        return pinned.split(address)
    except pinned.AddressInvalid as problem:
        raise EndpointAddressInvalid(place=str(problem)) from problem


def _renew_key(actor: Actor, cp: ControlPlane, endpoint: EndpointRecord, address: str, key: str) -> None:
    """A stored key is told to the server alone for which it was given. Inside a transaction."""
    if key:
        secret = secrets.keep(actor, cp, endpoint.project_id, {KEY: key})
        EndpointRecord.update(secret=secret).where(EndpointRecord.id == endpoint.id).execute()
        secrets.remove(endpoint.secret_id)
    elif endpoint.secret_id and pinned.origin(parts(address)) != pinned.origin(parts(endpoint.address)):
        raise EndpointKeyNeeded


def _address(written: str) -> str:
    """Without what all such addresses end with. Raises EndpointAddressInvalid."""
    address = written.strip().removesuffix("/").removesuffix(_PATH).removesuffix("/")
    found = parts(address)
    if found.query or found.fragment or len(address) > _LONGEST_ADDRESS:
        raise EndpointAddressInvalid(place=found.netloc[:200])
    return address


def _model(written: str) -> str:
    model = written.strip()
    if not model or len(model) > _LONGEST_MODEL or not model.isprintable():
        raise FieldInvalid(field="model", problem=f"1 … {_LONGEST_MODEL}")
    return model


def _named(project_id: int, name: str) -> EndpointRecord | None:
    found: EndpointRecord | None = EndpointRecord.get_or_none(
        EndpointRecord.project == project_id, EndpointRecord.name == name
    )
    return found


def _today(cp: ControlPlane) -> int:
    return int(cp.clock() // _DAY)


def _subject(endpoint: EndpointRecord) -> str:
    return f"endpoint:{endpoint.id}"
