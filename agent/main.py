"""The agent's composition root and its commands: `tunesmith agent join | run | service | status`, and `doctor`."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from agent import doctor as examination
from agent import garbage, isolation, memory, monitoring, service
from agent.attempts.attempts import Attempts
from agent.context import Agent
from agent.environment import Environments
from agent.isolation import IsolationMissing, Sandbox
from agent.link import heartbeat, identity, poll
from agent.link.calls import Link, Refused, Unreachable
from agent.link.identity import AuthorityMismatch, TokenMalformed
from agent.link.session import Session
from agent.serving import channel as serving_channel
from agent.serving.replicas import Serving
from agent.settings import Settings, read
from agent.storage.cache import Cache
from agent.storage.files import is_locked, try_lock
from agent.storage.state import Store

log = logging.getLogger(__name__)

_BALLAST = 4 << 20  # bytes that are kept for a start on a full disk


@click.group()
def agent() -> None:
    """This machine's side of the fleet."""
    os.umask(0o077)  # what it keeps is for its owner alone


@agent.command()
@click.argument("address")
@click.option(
    "--token-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File of the join token."
)
def join(address: str, token_file: Path | None) -> None:
    """Join the fleet of the control plane at ADDRESS (host:port of its api port).

    The join token comes from a file, from standard input, or is asked for; never from an argument, which others see.
    """
    settings = read()
    store = _store(settings)
    if identity.load(store) is not None:
        raise click.ClickException("This machine has joined a fleet already. Its data folder is " + str(settings.data))
    try:
        joined = identity.join(settings, store, address.removeprefix("https://"), _token(token_file))
    except TokenMalformed as problem:
        raise click.ClickException("The join token is not complete: it has three parts with dots between.") from problem
    except AuthorityMismatch as problem:
        text = "The server does not belong to the fleet that the token names. Nothing was sent to it."
        raise click.ClickException(text) from problem
    except Unreachable as problem:
        raise click.ClickException(f"The control plane cannot be reached: {problem}") from problem
    except Refused as refusal:
        raise click.ClickException(f"The control plane refuses: {refusal}") from refusal
    click.echo(f"This machine has joined as {joined.machine_id}.")


@agent.command()
@click.option("--verbose", is_flag=True, help="Tell more on standard error.")
def run(verbose: bool) -> None:
    """Run the agent until SIGTERM or Ctrl-C. Trainings go on without it."""
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    memory.be_frugal()
    settings = read()
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if try_lock(settings.data / "agent.lock") is None:  # held until the process ends
        raise click.ClickException(f"An agent runs already in {settings.data}.")
    stopping = stopped_by_signals()
    store = _store_in_time(settings, stopping)
    if store is None:
        return
    mine = identity.load(store)
    if mine is None:
        raise click.ClickException("This machine has not joined a fleet yet: run `tunesmith agent join` first.")
    identity.follow(settings, store, mine)
    try:
        sandbox = isolation.find(settings)
    except IsolationMissing as problem:
        raise click.ClickException(str(problem)) from problem
    if sandbox.problem:
        log.warning("method code is isolated: %s. %s", sandbox.kind, sandbox.problem)
    live(settings, store, stopping, sandbox)


@agent.command()
def status() -> None:
    """Say what this machine is in the fleet and what it does."""
    settings = read()
    store = _store(settings)
    mine = identity.load(store)
    if mine is None:
        click.echo("This machine has not joined a fleet.")
        raise SystemExit(1)
    click.echo(f"machine        {mine.machine_id}")
    click.echo(f"control plane  {mine.fleet_address}")
    click.echo(f"certificate    {max(0.0, mine.not_after - time.time()) / 3600:.1f} hours left")
    click.echo(f"agent          {'running' if is_locked(settings.data / 'agent.lock') else 'not running'}")
    for row in store.attempts():
        click.echo(f"attempt {row.attempt_id:<6} {row.state}")
    click.echo(f"replicas       {len(store.replicas())}")


@agent.command("service")
def print_service() -> None:
    """Print what keeps the agent running: a unit of systemd, or on macOS a launchd agent. It changes nothing."""
    data, executable = read().data, Path(sys.executable).with_name("tunesmith")
    if sys.platform == "darwin":
        click.echo(service.launchd(executable, data), nl=False)
    else:
        click.echo(service.systemd(executable, data, getpass.getuser()), nl=False)


@click.command()
def doctor() -> None:
    """Check this machine and say what to do; works without a control plane."""
    raise SystemExit(examination.report(read()))


def live(settings: Settings, store: Store, stopping: threading.Event, sandbox: Sandbox) -> None:
    """Run all loops until `stopping` is set, then end cleanly: engines stop, trainings go on."""
    connection = connect(settings, store, stopping)
    if connection is None:
        return
    cache = Cache(settings.data / "cache", settings.cache_bytes, store)
    parts = Agent(settings, store, connection, cache, Environments(settings, sandbox), stopping, sandbox)
    attempts, serving = Attempts(parts), Serving(parts)
    session = Session(parts, attempts)
    attempts.resume()
    serving.resume(session)
    for loop in (heartbeat.run, poll.run):
        _spawn(loop.__module__, lambda loop=loop: loop(parts, session, attempts, serving), stopping)  # type: ignore[misc]
    _spawn("serving-channel", lambda: serving_channel.run(parts, session, serving), stopping)
    _spawn("garbage", lambda: garbage.run(parts), stopping)
    _spawn("identity", lambda: identity.keep_fresh(settings, store, connection, stopping), stopping)
    if settings.metrics_port:
        try:
            monitoring.start(settings.metrics_port, session, attempts, serving)
        except OSError as problem:  # trainings matter more than who watches them
            log.error("no metrics on port %d: %s", settings.metrics_port, problem)
    stopping.wait()
    session.goodbye("shutdown")
    connection.close()
    serving.close()


def connect(settings: Settings, store: Store, stopping: threading.Event) -> Link | None:
    """The link; an expired certificate is recovered first. None when the agent is to end meanwhile."""
    mine = identity.load(store)
    assert mine is not None
    while mine.not_after <= time.time():
        try:
            mine = identity.recover(settings, store, mine)
        except (Refused, Unreachable) as problem:
            log.error("the certificate has expired and is not renewed: %s", problem)
            if stopping.wait(settings.retry_max_seconds):
                return None
    return Link(mine.fleet_address, identity.credentials(settings, mine), settings)


def stopped_by_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set.

    Not from a handler in Python: it would run in the main thread alone, in the middle of whatever that does. There it
    may find the event's lock taken by itself, and where the signal comes just before a wait that has no end, it does
    not run at all. The interpreter writes a signal's number into the pipe at once, whatever the main thread does.
    """
    stopping = threading.Event()
    arrived, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(arrived, 1)
        stopping.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stopping


def _spawn(name: str, loop: Callable[[], None], stopping: threading.Event) -> None:
    def guarded() -> None:
        try:
            loop()
        except Exception:  # a loop's top: half an agent is worse than none, the service manager starts a whole one
            if not stopping.is_set():
                log.exception("the loop %s ended on an error; the agent ends", name)
                stopping.set()

    threading.Thread(target=guarded, name=name, daemon=True).start()


def _store(settings: Settings) -> Store:
    return Store(settings.data / "state.db")


def _store_in_time(settings: Settings, stopping: threading.Event) -> Store | None:
    """The store; on a full disk the agent makes a little room and waits for more. None when it is to end meanwhile.

    The room is a file kept for this: with it the agent begins, and ends what has filled the disk.
    """
    ballast = settings.data / "ballast"
    while True:
        try:
            store = _store(settings)
        except OSError as problem:
            log.error("the agent cannot begin: %s", problem)
            with suppress(OSError):
                ballast.unlink(missing_ok=True)
            if stopping.wait(settings.fault_first_seconds):
                return None
        else:
            with suppress(OSError):  # without room for it now, the next start tries again
                if not ballast.exists():
                    ballast.write_bytes(bytes(_BALLAST))
            return store


def _token(token_file: Path | None) -> str:
    if token_file is not None:
        return token_file.read_text()
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(click.prompt("Join token", hide_input=True))
