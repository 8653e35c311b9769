"""Where the control plane is, how to prove who calls, and what happens when a call fails."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc

R = TypeVar("R")

HOME = Path("~/.tunesmith")  # the data folder of `tunesmith up`
CONFIGURATION = Path("~/.config/tunesmith/client.json")

_LARGEST = 16 << 20  # bytes of a message
_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_send_message_length", _LARGEST),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # seconds


class NotConfigured(Exception):
    """No control plane is known: neither an argument, the environment nor a file names its address and a token."""


class CallFailed(Exception):
    """A call failed. The text is a sentence for a person, in the language that was asked for.

    `code` is stable, e.g. `job_not_found`, and empty where no answer came at all; `params` are the sentence's values;
    `status` is the gRPC status's name, e.g. `NOT_FOUND`.
    """

    def __init__(self, message: str, code: str, params: dict[str, Any], status: str) -> None:
        super().__init__(message)
        self.code = code
        self.params = params
        self.status = status


@dataclass(frozen=True)
class Target:
    """A control plane: `address` is host:port of its API, `authority` the PEM of the only authority to be trusted."""

    address: str
    token: str
    authority: str

    def save(self, path: Path = CONFIGURATION) -> Path:
        """Keep it for later calls, readable by its owner alone; the file."""
        path = path.expanduser()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = {"api_address": self.address, "token": self.token, "authority_pem": self.authority}
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        fresh.replace(path)
        return path


def find(
    address: str | None = None, token: str | None = None, authority: str | None = None, data: Path | None = None
) -> Target:
    """The control plane to call.

    Its address is the argument's, that of the control plane under `data` (the folder given to `tunesmith up`), the
    environment's TUNESMITH_API, that of `~/.config/tunesmith/client.json`, or that of the control plane under
    `~/.tunesmith`: the first that is known. Token and authority are the arguments', the environment's
    (TUNESMITH_TOKEN, and TUNESMITH_AUTHORITY, a PEM file), or those that were stored with this very address: a token
    never goes to an address that it was not made for. Raises NotConfigured.
    """
    pem = os.environ.get("TUNESMITH_AUTHORITY", "")
    here, home = bootstrap(data) if data else {}, bootstrap(HOME)
    stored = [here, _read(CONFIGURATION.expanduser()), home]
    addresses = [address, here.get("api_address"), os.environ.get("TUNESMITH_API")]
    chosen = next((one for one in (*addresses, *(source.get("api_address") for source in stored)) if one), None)
    if chosen is None:
        raise NotConfigured("No control plane is known. Run `tunesmith login`, or start one with `tunesmith up`.")
    same = [source for source in stored if source.get("api_address") == chosen]
    tokens = [token, os.environ.get("TUNESMITH_TOKEN"), *(source.get("token") for source in same)]
    authorities = [
        authority,
        Path(pem).read_text("ascii") if pem else None,
        *(source.get("authority_pem") for source in same),
    ]
    good_token = next((one for one in tokens if one), None)
    if good_token is None and chosen in (here.get("api_address"), home.get("api_address")):
        raise NotConfigured(
            f"Access from the data folder is switched off for {chosen}. An administrator can switch the account "
            "“local” on again; or make an API token in the dashboard and give it to `tunesmith login`."
        )
    if good_token is None:
        raise NotConfigured(
            f"No API token is known for {chosen}. Make one in the dashboard and give it to `tunesmith login`."
        )
    return Target(chosen, good_token, next((one for one in authorities if one), ""))


def bootstrap(data: Path) -> dict[str, Any]:
    """What the control plane under a data folder of `tunesmith up` says about itself; empty if there is none."""
    folder = data.expanduser()
    return _read(folder / "control-plane" / "bootstrap.json") or _read(folder / "bootstrap.json")


def open_channel(target: Target) -> grpc.Channel:
    """One channel with server TLS; without an authority of its own, the machine's usual ones are trusted."""
    root = target.authority.encode("ascii") or None
    return grpc.secure_channel(target.address, grpc.ssl_channel_credentials(root), options=_OPTIONS)


def retried(kind: type[R], call: Callable[[], Any], patience: float) -> R:
    """The answer, a `kind`, of a call that may be repeated: while none comes, for `patience` seconds.

    Raises CallFailed.
    """
    until, pause = time.monotonic() + patience, _FIRST_PAUSE
    while True:
        try:
            answer: R = call()
            return answer
        except grpc.RpcError as problem:
            failed = failure(problem)
            if failed.code or failed.status != "UNAVAILABLE" or time.monotonic() >= until:
                raise failed from problem
        time.sleep(random.uniform(0, pause))
        pause = min(pause * 2, _LONGEST_PAUSE)


def streamed(call: Callable[[], Iterator[R]]) -> Iterator[R]:
    """The messages of a streaming call. Raises CallFailed."""
    try:
        yield from call()
    except grpc.RpcError as problem:
        raise failure(problem) from problem


def failure(problem: grpc.RpcError) -> CallFailed:
    """What went wrong, from a failed call's status and trailing metadata."""
    if not isinstance(problem, grpc.Call):
        return CallFailed(str(problem), "", {}, "UNKNOWN")
    metadata = {key: str(value) for key, value in problem.trailing_metadata() or ()}
    params = json.loads(metadata.get("tunesmith-params") or "{}")
    status = problem.code().name
    return CallFailed(problem.details() or status, metadata.get("tunesmith-code", ""), params, status)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
