"""A real PostgreSQL of our own: a temporary cluster on a local socket, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import missing


def _server_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
    if not found[-1].is_file():
        missing("no PostgreSQL server programs (initdb) on this machine")
    return found[-1].parent


def _as_server_user(command: list[str]) -> None:
    # PostgreSQL refuses to run as root
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            missing("running as root, and there is no user postgres to run the server as")
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, capture_output=True, cwd="/")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of an empty database on a server that lives as long as the test session."""
    pytest.importorskip("psycopg2")
    programs = _server_programs()
    # a short path: socket names are limited to about 100 characters
    folder = Path(tempfile.mkdtemp(prefix="ts-pg-", dir="/tmp"))
    folder.chmod(0o777)
    data = folder / "data"
    _as_server_user([str(programs / "initdb"), "-D", str(data), "-U", "tunesmith", "--auth=trust", "--no-sync"])
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(folder / "log")]
    _as_server_user([*control, "start"])
    try:
        yield f"postgresql://tunesmith@/postgres?host={folder}"
    finally:
        _as_server_user([str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)
