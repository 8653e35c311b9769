"""A real PostgreSQL of our own: a temporary cluster on a local socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from control_plane.store.database import PostgresqlPool, database, open_database


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
    return found[-1].parent if found[-1].is_file() else None


def lacking() -> str:
    """Why no server can be had on this machine; empty if one can."""
    if find_spec("psycopg2") is None:
        return "no psycopg2 in this environment"
    if _programs() is None:
        return "no PostgreSQL server programs (initdb) on this machine"
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "running as root, and there is no user postgres to run the PostgreSQL server as"
    return ""


class PostgresqlServer:
    """A running server. Databases are made from a template that has the newest schema."""

    def __init__(self, max_connections: int = 100, port: int = 0) -> None:
        """With a port, it also listens on loopback, and asks for passwords there."""
        programs = _programs()
        assert programs is not None, lacking()
        # a short path: socket names are limited to about 100 characters
        self._folder = Path(tempfile.mkdtemp(prefix="ts-pg-", dir="/tmp"))
        self._folder.chmod(0o777)
        self._data = self._folder / "data"
        self._programs = programs
        self._options = (
            f"-c listen_addresses='{'127.0.0.1' if port else ''}' -c port={port or 5432}"
            f" -c unix_socket_directories={self._folder} -c max_connections={max_connections}"
            " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        )
        self._numbers = count(1)
        self._template = ""
        self._port = port or 5432
        methods = ("--auth-local=trust", "--auth-host=scram-sha-256")
        self._run("initdb", "-D", str(self._data), "-U", "tunesmith", *methods, "--no-sync")
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-o", self._options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """At once, as after a power cut: every connection breaks."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def address(self, database: str = "postgres") -> str:
        return f"postgresql://tunesmith@/{database}?host={self._folder}&port={self._port}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Address of a fresh database with the newest schema and no rows."""
        if not self._template:
            self.execute("CREATE DATABASE template_of_tests")
            open_database(self._folder, self.address("template_of_tests")).close_all()
            self._template = "template_of_tests"
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        yield self.address(name)
        if isinstance(database.obj, PostgresqlPool):
            database.obj.close_all()
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def encrypt(self, certificate: bytes, key: bytes) -> None:
        """Take encrypted connections, too, from now on; both in PEM."""
        for name, content in (("server.crt", certificate), ("server.key", key)):
            path = self._data / name
            path.write_bytes(content)
            path.chmod(0o600)
            shutil.chown(path, self._data.owner())
        self.execute("ALTER SYSTEM SET ssl = on")
        self.execute("SELECT pg_reload_conf()")

    def connections(self, address: str) -> int:
        """How many there are to the database of this address."""
        name = address.split("/")[3].partition("?")[0]
        ((count,),) = self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")
        return int(str(count))

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement on a connection of its own; its rows."""
        import psycopg2  # not where the server is lacking

        with closing(psycopg2.connect(self.address(database))) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, capture_output=True, cwd="/")
