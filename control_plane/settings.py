"""Every setting of the control plane, in one documented list; the only reader of its environment.

Each field is the environment variable `TUNESMITH_` + its name in upper case. `docs/developers/settings.md` is checked
against this list by a test.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc}, repr=not isinstance(default, Key | Hidden))


class Key(str):
    """A key of 256 bits as hexadecimal digits, or nothing. Raises ValueError for anything else."""

    def __init__(self, text: str = "") -> None:
        self.bytes = bytes.fromhex(text)
        if len(self.bytes) not in (0, 32):
            raise ValueError("not 64 hexadecimal digits")


class Hidden(str):
    """A text that is shown nowhere."""


class Networks(str):
    """Addresses and networks with commas between, as `127.0.0.1, 10.0.0.0/8`. Raises ValueError for anything else."""

    def __init__(self, text: str = "") -> None:
        self._networks = [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]

    def hold(self, address: str) -> bool:
        """Whether an address is one of them; what is no address is not."""
        try:
            found = ipaddress.ip_address(address.strip())
        except ValueError:
            return False
        plain = getattr(found, "ipv4_mapped", None) or found
        return any(plain in network for network in self._networks)

    def client(self, peer: str, forwarded: str) -> str:
        """Who asks, where `peer` holds the connection and X-Forwarded-For says `forwarded`.

        That header is believed as far as trusted ones wrote it: from its end, up to the first that is not one of them.
        """
        told = [part.strip() for part in forwarded.split(",")]
        while self.hold(peer) and told and _is_address(told[-1]):
            peer = told.pop()
        return peer


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Folders(str):
    """Folders, separated as in PATH, each named from the root on. Raises ValueError for anything else."""

    def __init__(self, text: str = "") -> None:
        self.every = [str(Path(part)) for part in text.split(os.pathsep) if part.strip()]
        if relative := next((one for one in self.every if not Path(one).is_absolute()), None):
            raise ValueError(f"{relative!r} does not begin at the root")


@dataclass(frozen=True)
class Settings:
    """Durations are seconds, sizes bytes."""

    data: Path = _setting(Path("~/.tunesmith/control-plane"), "Folder of the database, blobs, logs and keys")
    database: str = _setting("", "postgresql:// address; empty: SQLite in the data folder")
    database_connections: int = _setting(40, "Connections to PostgreSQL at most; whoever finds none waits for one")
    database_stale_seconds: float = _setting(300.0, "Age at which a connection to PostgreSQL is made anew")
    host: str = _setting("127.0.0.1", "Address that all three ports listen on")
    public_host: str = _setting("127.0.0.1", "Name or address by which machines and browsers reach the control plane")
    web_port: int = _setting(8420, "Port of the dashboard and the OpenAI-compatible endpoint")
    api_port: int = _setting(8421, "Port of Enrollment and Automation (server TLS)")
    fleet_port: int = _setting(8422, "Port of the fleet link (mutual TLS)")
    web_certificate: str = _setting("", "PEM file; with web_key, the dashboard speaks HTTPS")
    web_key: str = _setting("", "PEM file of the key of web_certificate")
    web_address: str = _setting("", "Address by which browsers reach the dashboard, where that is a proxy's")
    trusted_proxies: Networks = _setting(Networks(), "Proxies whose X-Forwarded-For is believed: addresses, networks")
    connections_per_address: int = _setting(32, "Web connections from one address; a trusted proxy may have any number")
    head_seconds: float = _setting(5.0, "How long the head of a web request may take to arrive")
    body_silence_seconds: float = _setting(30.0, "How long the body of a web request may pause")
    body_seconds: float = _setting(600.0, "How long the body of a web request, as an upload, may take in all")
    answer_silence_seconds: float = _setting(30.0, "How long a reader of a web answer may take none of it")
    answer_bytes_per_second: float = _setting(4_096.0, "What it has to take at least, beyond such pauses")
    threads: int = _setting(96, "Threads that serve the web")
    control_threads: int = _setting(8, "Threads for the machines' heartbeats, polls, offers and reports")
    bulk_threads: int = _setting(8, "Threads for the machines' transfers: chunks, commits, logs, blobs")
    automation_threads: int = _setting(8, "Threads for the public API and for enrolment")
    live_streams: int = _setting(48, "How many /events streams are held at once; beyond it browsers poll")
    chat_streams: int = _setting(24, "How many inference requests are held at once; beyond it the answer is 429")
    chat_seconds: float = _setting(300.0, "Deadline of a non-streaming inference request")
    methods: str = _setting("", "Folder of the methods; empty: the shipped ones")
    cases: str = _setting("", "Folder of the cases; empty: the shipped ones")
    heartbeat_seconds: float = _setting(10.0, "How often a machine reports itself")
    heartbeats_per_second: float = _setting(
        50.0, "Beyond as many heartbeats a second in all, each machine reports itself more rarely"
    )
    presence_write_seconds: float = _setting(2.0, "How often what heartbeats said is written, in one transaction")
    poll_seconds: float = _setting(45.0, "How long an agent's Poll hangs at most")
    offer_seconds: float = _setting(30.0, "How long an offer waits for its answer")
    avoid_seconds: float = _setting(
        60.0, "How long a machine is not given a job again that it failed by a fault of its own, as a full disk"
    )
    stale_server_seconds: float = _setting(30.0, "Silence after which a server is stale")
    stale_laptop_seconds: float = _setting(60.0, "Silence after which a laptop is stale")
    disconnected_server_seconds: float = _setting(60.0, "Silence after which a server is disconnected")
    disconnected_laptop_seconds: float = _setting(120.0, "Silence after which a laptop is disconnected")
    lease_server_seconds: float = _setting(300.0, "Lease of an attempt on a server")
    lease_laptop_seconds: float = _setting(43_200.0, "Lease of an attempt on a laptop")
    lease_grace_seconds: float = _setting(300.0, "After a start of the control plane no lease expires for this long")
    join_token_seconds: float = _setting(3_600.0, "Longest life of a join token")
    certificate_server_seconds: float = _setting(86_400.0, "Life of a server's certificate")
    certificate_laptop_seconds: float = _setting(604_800.0, "Life of a laptop's certificate")
    recover_seconds: float = _setting(7_776_000.0, "How long after its expiry a certificate may be recovered")
    session_seconds: float = _setting(1_209_600.0, "Life of a browser session")
    setup_link_seconds: float = _setting(86_400.0, "Life of the first administrator's one-time link")
    import_seconds: float = _setting(
        1_800.0, "How long an import may run where its job says nothing else; 0: without a limit"
    )
    max_lost_attempts: int = _setting(3, "Lost machines after which a job fails as suspect")
    max_upload_bytes: int = _setting(5_368_709_120, "Largest dataset file")
    max_unpacked_bytes: int = _setting(21_474_836_480, "Most that a packed dataset file may unpack to")
    uploads_per_person: int = _setting(20, "Dataset files that a person may have on their way at once, and drafts")
    upload_bytes_per_person: int = _setting(21_474_836_480, "Bytes of them in all")
    draft_days: float = _setting(7.0, "Days after which uploads and drafts that nobody touches are forgotten")
    preparations: int = _setting(2, "Processes that prepare data at once; other drafts wait for their turn")
    preparation_seconds: int = _setting(3_600, "How long such a process may run, and compute")
    preparation_memory_bytes: int = _setting(4_294_967_296, "Memory that such a process may ask for")
    source_folders: Folders = _setting(
        Folders(), "Folders of this server, separated as in PATH, that everybody who uploads may bring files from"
    )
    source_networks: Networks = _setting(
        Networks(), "Private addresses and networks that sources may be at, with commas between; empty: none"
    )
    hub: str = _setting("https://huggingface.co", "Address of the Hugging Face Hub, or of a mirror of it")
    fetch_seconds: int = _setting(3_600, "How long a source may be fetched")
    fetch_silence_seconds: float = _setting(60.0, "How long a source may send nothing meanwhile")
    secrets_key: Key = _setting(
        Key(), "Key of stored passwords: 32 bytes as 64 hexadecimal digits; empty: in secrets.key"
    )
    listener_networks: Networks = _setting(
        Networks(), "Private addresses and networks that listeners may be at, with commas between; empty: none"
    )
    python_listeners: str = _setting("", "Python listeners that projects may choose, by name, with commas between")
    deliveries: int = _setting(8, "Listeners that are told something at once; others wait for their turn")
    delivery_seconds: float = _setting(10.0, "How long a listener may take to answer; a Python one, six times as long")
    delivery_days: float = _setting(30.0, "Days after which what listeners were told, and firings, are forgotten")
    low_disk_bytes: int = _setting(
        10_737_418_240, "Free disk, of the control plane or a machine, below which listeners are told"
    )
    smtp_host: str = _setting("", "Server that sends mail to listeners; empty: no mail")
    smtp_port: int = _setting(587, "Its port")
    smtp_security: str = _setting("starttls", "starttls, tls, or none for a server on this machine")
    smtp_sender: str = _setting("", "Address that mail comes from")
    smtp_user: str = _setting("", "Name to sign in with at that server; empty: none")
    smtp_password: Hidden = _setting(Hidden(), "Password to sign in with")
    endpoint_networks: Networks = _setting(
        Networks(), "Private addresses and networks that endpoints may be at, with commas between; empty: none"
    )
    labellings: int = _setting(2, "Labellings for which answers are asked at once; others wait for their turn")
    labelling_answer_seconds: float = _setting(120.0, "How long one answer for a labelling may take")
    max_row_bytes: int = _setting(16_777_216, "Largest row of a dataset")
    max_log_bytes: int = _setting(1_073_741_824, "Largest log stream of an attempt")
    max_evaluation_bytes: int = _setting(268_435_456, "Largest evaluation.json")
    max_evaluation_rows: int = _setting(100_000, "Most rows of an evaluation")
    max_events: int = _setting(1_000_000, "Most events that are kept of an attempt; then one warning")
    commit_wait_seconds: float = _setting(10.0, "How long a commit waits for its files' verification at a time")
    garbage_grace_seconds: float = _setting(86_400.0, "Age below which unnamed blobs and temporary files are kept")
    trash_days: float = _setting(30.0, "Days after which what is in the trash is deleted for good; 0: never by itself")
    min_free_disk_bytes: int = _setting(536_870_912, "Free disk below which uploads are refused")

    def resolved(self) -> Settings:
        """The same settings with the data folder made absolute."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Settings(**(values | {"data": self.data.expanduser().resolve()}))


class SettingInvalid(ValueError):
    """An environment variable does not parse; the message names it."""


def inherited(**changes: object) -> dict[str, str]:
    """This process's environment for one that it starts, with some settings changed (named in lower case)."""
    return dict(os.environ) | {f"TUNESMITH_{name.upper()}": str(value) for name, value in changes.items()}


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from `environment` (default: the process's). Raises SettingInvalid."""
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = f"TUNESMITH_{setting.name.upper()}"
        if name in source:
            values[setting.name] = _parse(name, source[name], setting.default)
    return Settings(**values).resolved()


def _parse(name: str, text: str, default: Any) -> Any:
    kind = Path if isinstance(default, Path) else type(default)
    try:
        return kind(text)
    except ValueError as problem:
        shown = "…: 64 hexadecimal digits" if kind is Key else f"{text!r}: {problem}"
        raise SettingInvalid(f"{name}={shown}") from (None if kind is Key else problem)
