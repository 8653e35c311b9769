"""The composition root: builds the control plane and runs it in one gunicorn worker under its arbiter.

Threads, event loops and the single-start lock begin in the worker, never before the fork.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from control_plane import settings as settings_module
from control_plane import single_start
from control_plane.authority import open_authority
from control_plane.blobs import Blobs
from control_plane.context import ControlPlane, Inference
from control_plane.domain.leases import Steadiness
from control_plane.fleet import Fleet
from control_plane.rpc.server import Server
from control_plane.rpc.serving import ServingChannels
from control_plane.services import methods
from control_plane.services.access import credentials, people
from control_plane.services.fleet import attempts, machines
from control_plane.settings import Settings
from control_plane.signals import LocalSignals
from control_plane.single_start import AlreadyRunning, Running, SingleStart
from control_plane.store.database import open_database, release
from control_plane.throttle import Throttle
from control_plane.ticks import Ticks
from control_plane.web_threads import WebThreads

log = logging.getLogger(__name__)

PRIVATE = 0o077  # the umask of every command that keeps data: what it writes is for its owner alone

_STOP_SECONDS = 10  # for the worker, before it is killed
_PATIENCE_SECONDS = 10.0  # for an earlier process that is about to end


class CannotStart(click.ClickException):
    """Said on one line; exit code 4, so that a service manager does not try again."""

    exit_code = 4


def build(settings: Settings, inference: Inference) -> ControlPlane:
    """Open the data folder: keys, database with the newest schema, blobs. Starts nothing."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    open_authority(settings.data)
    open_database(settings.data, settings.database, settings.database_connections, settings.database_stale_seconds)
    return ControlPlane(
        settings=settings,
        blobs=Blobs(settings.data / "blobs", min_free=settings.min_free_disk_bytes),
        clock=time.time,
        signals=LocalSignals(),
        inference=inference,
        steadiness=Steadiness(_awake_or_asleep),
        throttle=Throttle(time.time),
        fleet=Fleet(),
    )


def _awake_or_asleep() -> float:
    """Seconds that count sleep: CLOCK_BOOTTIME on Linux; on macOS `clock_gettime` counts it in CLOCK_MONOTONIC."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Parts:
    """What runs beside the web threads in the worker: the gRPC ports and the ticks."""

    def __init__(self, settings: Settings) -> None:
        self._lock = SingleStart(settings.data)
        self._lock.acquire(_PATIENCE_SECONDS)
        channels = ServingChannels()
        self.cp = build(settings, channels)
        self._server = Server(self.cp, channels)
        self._ticks = Ticks(self.cp)
        self._stopping = threading.Lock()

    def start(self) -> None:
        """Raises RuntimeError where a gRPC port is taken."""
        for name in methods.register_shipped(self.cp):
            log.info("Method %s is registered", name)
        attempts.hold_leases(self.cp)
        machines.load_presence(self.cp)
        self._server.start()
        link = people.first_start(self.cp)
        self._ticks.start()
        settings, url = self.cp.settings, credentials.web_url(self.cp)
        self._lock.announce(Running(os.getppid(), url, f"{settings.public_host}:{settings.api_port}"))
        click.echo(f"Tunesmith is ready at {url}")
        if link:
            click.echo(f"Set the administrator's password once at {link}")
        release()  # this thread serves nobody from here on

    def stop(self) -> None:
        """Ticks first, so that nothing new begins; then the ports."""
        if self._stopping.acquire(blocking=False):
            self._lock.withdraw()
            self._ticks.stop()
            self._server.stop()


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; `load` runs in the worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.parts: Parts | None = None
        self.stopping: threading.Thread | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        values: dict[str, Any] = {
            "bind": [f"{settings.host}:{settings.web_port}"],
            "worker_class": WebThreads,
            "workers": 1,
            "threads": settings.threads,
            "keepalive": 15,
            "timeout": 120,  # a machine that trains may starve us for a while
            "graceful_timeout": _STOP_SECONDS,
            "proc_name": "tunesmith",
            "loglevel": "warning",
            "certfile": settings.web_certificate or None,
            "keyfile": settings.web_key or None,
            "post_worker_init": _start_parts,
            "worker_exit": _stop_parts,
            "forwarded_allow_ips": "",  # whose headers are believed is ours to say: web/proxies.py
            "control_socket_disable": True,  # it would lie in a shared place, one for all installations
        }
        for name, value in values.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        from web import create_app  # the pages are needed in the worker alone

        self.parts = Parts(self.settings)
        return create_app(self.parts.cp)


def _start_parts(worker: Any) -> None:
    worker.app.parts.start()


def _stop_parts(arbiter: Any, worker: Any) -> None:
    app = worker.app
    if not worker.booted or app.parts is None:
        return
    app.parts.stop()
    if app.stopping is not None:
        app.stopping.join()
    logging.shutdown()
    os._exit(0)  # a thread that still waits on a dead browser must not keep the process alive


@click.command("control-plane")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the database, blobs, logs and keys.")
def control_plane(data: Path | None) -> None:
    """Run the control plane: dashboard, API and fleet link. Settings are environment variables."""
    os.umask(PRIVATE)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it would tell of each tick
    settings = read_settings(data)
    refuse_second_start(settings)
    WebServer(settings).run()


def read_settings(data: Path | None) -> Settings:
    """The settings of the environment, with another data folder if one is named. Raises CannotStart."""
    try:
        settings = settings_module.read()
    except settings_module.SettingInvalid as problem:
        raise CannotStart(str(problem)) from problem
    return replace(settings, data=data).resolved() if data else settings


def refuse_second_start(settings: Settings) -> None:
    """Raises CannotStart where the data folder or a port is in use."""
    probe = SingleStart(settings.data)
    try:
        probe.acquire(0.0 if single_start.running(settings.data) else _PATIENCE_SECONDS)
    except AlreadyRunning:
        raise CannotStart(f"A control plane is already running on {settings.data}.") from None
    finally:
        probe.release()
    for name in ("web_port", "api_port", "fleet_port"):
        port = getattr(settings, name)
        if not is_free(settings.host, port):
            variable = f"TUNESMITH_{name.upper()}"
            raise CannotStart(f"Port {port} is in use by another program; choose another one with {variable}.")


def is_free(host: str, port: int) -> bool:
    """Whether this process could listen on the port."""
    with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
