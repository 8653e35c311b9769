"""`tunesmith up` and `down`: everything on one machine, as a control plane and an agent in processes of their own.

`<data>/up.json` says which processes and ports belong to the folder. Ports that were chosen once are kept, because
machines that joined remember them; where one is taken and another is chosen, the agent of this folder is told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import psutil

from control_plane import single_start
from control_plane.context import ControlPlane
from control_plane.domain.addresses import at_port
from control_plane.domain.lifecycle import ONLINE
from control_plane.domain.permissions import SYSTEM
from control_plane.main import PRIVATE, CannotStart, build, is_free, read_settings
from control_plane.rpc.serving import ServingChannels
from control_plane.services.access import people
from control_plane.services.fleet import machines
from control_plane.services.fleet.enrollment import create_join_token
from control_plane.settings import Settings, inherited

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_ORDER = ("agent", "control plane")  # in which they are stopped
_PORTS = ("web_port", "api_port", "fleet_port")
_COMMAND = (sys.executable, "-Pm", "tunesmith.cli")  # P: nothing of the current folder is run


class Failed(click.ClickException):
    """One of the processes did not do what it should; exit code 1."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("~/.tunesmith"), show_default=True)
@click.option("--web-port", type=int, help="Port of the dashboard.")
@click.option("--api-port", type=int, help="Port of the API.")
@click.option("--fleet-port", type=int, help="Port that machines connect to.")
@click.option(
    "--ports", type=click.Choice(["fixed", "auto"]), default="fixed", help="auto: another one if one is taken."
)
@click.option("--detach", is_flag=True, help="Return when everything runs; `tunesmith down` ends it.")
def up(
    data: Path,
    web_port: int | None,
    api_port: int | None,
    fleet_port: int | None,
    ports: str,
    detach: bool,
) -> None:
    """Run everything on this machine: a control plane and one agent."""
    os.umask(PRIVATE)
    asked = {"web_port": web_port, "api_port": api_port, "fleet_port": fleet_port}
    place = Place(data.expanduser().resolve(), {name: port for name, port in asked.items() if port}, ports == "auto")
    if not detach:
        place.refuse_second_start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a plain end stops the children too
    try:
        place.start()
        click.echo(place.welcome())
        if detach:
            return
        place.watch()
    except BaseException:
        place.stop_started()  # nothing survives by accident
        raise
    place.stop_started()


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("~/.tunesmith"), show_default=True)
def down(data: Path) -> None:
    """Stop what `tunesmith up --detach` left running."""
    place = Place(data.expanduser().resolve(), {}, choose_ports=False)
    if not place.stop():
        click.echo("Nothing is running.")


class Place:
    """A data folder, and the processes that belong to it."""

    def __init__(self, data: Path, asked: dict[str, int], choose_ports: bool) -> None:
        self._data = data
        self._file = data / "up.json"
        self._known = _read(self._file)
        settings = read_settings(data / "control-plane")
        ports: dict[str, Any] = {
            name: asked.get(name) or self._known.get(name) or getattr(settings, name) for name in _PORTS
        }
        self._settings = replace(settings, **ports)
        self._choose_ports = choose_ports
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def refuse_second_start(self) -> None:
        """Raises CannotStart where something runs already."""
        if found := single_start.running(self._settings.data):
            raise CannotStart(f"Tunesmith is already running on {self._data}, at {found.web_url}.")

    def start(self) -> None:
        """Start what does not run yet and return when it is ready. Raises CannotStart, Failed."""
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._start_control_plane()
        self._cp = build(self._settings, ServingChannels())
        self._start_agent()

    def welcome(self) -> str:
        """Where the dashboard is, and how the first administrator gets in."""
        found = single_start.running(self._settings.data)
        lines = [f"Tunesmith is running at {found.web_url if found else '?'}"]
        if link := people.first_start(self._cp):
            lines.append(f"Set the administrator's password once at {link}")
        return "\n".join(lines)

    def watch(self) -> None:
        """Return on Ctrl-C. Raises Failed when one of the processes ends by itself."""
        ends = {signal.SIGINT, signal.SIGTERM}
        # from here on signals are waited for; the children were started before, and so do not inherit the mask
        signal.pthread_sigmask(signal.SIG_BLOCK, ends | {signal.SIGCHLD})
        click.echo("Press Ctrl-C to stop.")
        while True:
            for name, child in self._children.items():
                if child.poll() is not None:
                    raise Failed(f"The {name} ended with status {child.returncode}. {self._last_lines(name)}")
            if signal.sigwait(ends | {signal.SIGCHLD}) in ends:
                click.echo("Stopping.")
                return

    def stop(self) -> bool:
        """Stop what runs, whoever started it; whether there was anything. Raises Failed for a bad end."""
        running = [name for name in _ORDER if self._process(name)]
        self._stop_all(running)
        return bool(running)

    def stop_started(self) -> None:
        """Stop what this process started. Raises Failed for a bad end."""
        self._stop_all([name for name in _ORDER if name in self._children])

    def _stop_all(self, names: list[str]) -> None:
        if problems := [problem for name in names if (problem := self._stop(name))]:
            raise Failed(" ".join(problems))

    def _start_control_plane(self) -> None:
        if single_start.running(self._settings.data):
            return
        while True:
            if self._choose_ports:
                self._settings = replace(self._settings, **_free_ports(self._settings))
            ports = {name: getattr(self._settings, name) for name in _PORTS}
            child = self._spawn("control plane", ["control-plane"], inherited(data=self._settings.data, **ports))
            try:
                self._wait("control plane", child, lambda: single_start.running(self._settings.data) is not None)
            except Failed:
                # another program may have taken a port between our look and the start: the next look passes it by
                if self._choose_ports and child.poll() is not None and _free_ports(self._settings) != ports:
                    continue
                raise
            self._remember(**ports)
            return

    def _start_agent(self) -> None:
        addresses = {name: self._address(f"{name}_port") for name in ("api", "fleet")}
        if self._process("agent"):
            if self._known.get("addresses", addresses) == addresses:
                return
            self._stop("agent")  # it looks for the control plane where that was before; trainings go on
        environment = inherited(
            agent_data=self._data / "agent",
            agent_api_address=addresses["api"],
            agent_fleet_address=addresses["fleet"],
        )
        if not (self._known.get("joined") and (self._data / "agent" / "machine.key").exists()):
            self._join(environment)
        begun = self._cp.clock()
        child = self._spawn("agent", ["agent", "run"], environment)
        self._remember(addresses=addresses)
        self._wait("agent", child, lambda: _heard_since(self._cp, begun))

    def _join(self, environment: dict[str, str]) -> None:
        machine_class = "laptop" if sys.platform == "darwin" else "server"
        token, _ = create_join_token(SYSTEM, self._cp, machine_class)
        joined = subprocess.run(
            [*_COMMAND, "agent", "join", environment["TUNESMITH_AGENT_API_ADDRESS"]],
            env=environment,
            input=token.encode(),
            capture_output=True,
            check=False,
        )
        if joined.returncode:
            said = (joined.stderr or joined.stdout).decode(errors="replace").strip()
            raise Failed(f"The agent could not join: {said}")
        self._remember(joined=True)

    def _address(self, port: str) -> str:
        """Where the agent finds a port of the running control plane."""
        return at_port(self._settings.public_host, self._known.get(port, getattr(self._settings, port)))

    def _spawn(self, name: str, command: Iterable[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            child = subprocess.Popen(
                [*_COMMAND, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
            )
        self._children[name] = child
        self._remember(**{name: {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}})
        return child

    def _wait(self, name: str, child: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        until = time.monotonic() + _READY_SECONDS
        while not ready():
            if child.poll() is not None:
                raise Failed(f"The {name} did not start. {self._last_lines(name)}")
            if time.monotonic() > until:
                raise Failed(f"The {name} was not ready within {_READY_SECONDS:.0f} seconds. {self._last_lines(name)}")
            time.sleep(0.1)

    def _stop(self, name: str) -> str:
        """What was wrong with the end of a process; empty when nothing was."""
        process = self._process(name)
        if process is None:
            return ""
        with suppress(psutil.NoSuchProcess):
            process.terminate()
        child = self._children.get(name)
        try:
            status = child.wait(_STOP_SECONDS) if child else process.wait(_STOP_SECONDS)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.kill()
            return f"The {name} did not stop within {_STOP_SECONDS:.0f} seconds and was killed."
        return f"The {name} ended with status {status}. {self._last_lines(name)}" if status else ""

    def _process(self, name: str) -> psutil.Process | None:
        """The process of that name, if it still is the one that was started."""
        entry = self._known.get(name, {"pid": 0, "started": 0.0})
        try:
            process = psutil.Process(entry["pid"])
            same = process.create_time() == entry["started"] and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    def _remember(self, **entries: Any) -> None:
        self._known |= entries
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, indent=1))
        fresh.replace(self._file)

    def _log(self, name: str) -> Path:
        return self._data / f"{name.replace(' ', '-')}.log"

    def _last_lines(self, name: str) -> str:
        lines = self._log(name).read_text("utf-8", "replace").splitlines()[-8:] if self._log(name).exists() else []
        return "\n".join([f"From {self._log(name)}:", *lines])


def _heard_since(cp: ControlPlane, begun: float) -> bool:
    return any(
        machine.connectivity == ONLINE and machine.last_seen >= begun for machine in machines.list_machines(SYSTEM, cp)
    )


def _free_ports(settings: Settings) -> dict[str, Any]:
    """The ports of the settings, with another one in place of each that is taken."""
    chosen: dict[str, int] = {}
    for name in _PORTS:
        port = getattr(settings, name)
        while port in chosen.values() or not is_free(settings.host, port):
            port += 10
        chosen[name] = port
    return chosen


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
