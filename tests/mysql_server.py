"""A real MariaDB of our own: a temporary folder and a port on loopback, gone afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pymysql

from patience import wait_until


def lacking() -> str:
    """Why no server can be had on this machine; empty if one can."""
    there = shutil.which("mariadbd") and shutil.which("mariadb-install-db")
    return "" if there else "no MariaDB server programs (mariadbd, mariadb-install-db) on this machine"


class MysqlServer:
    """A running server; its user root has no password on the local socket."""

    def __init__(self, port: int, certificate: bytes, key: bytes) -> None:
        """Both in PEM: what it is known by on encrypted connections."""
        self._folder = Path(tempfile.mkdtemp(prefix="ts-my-", dir="/tmp"))
        data, socket = self._folder / "data", self._folder / "socket"
        options = ["--no-defaults", f"--datadir={data}", "--user=root"]
        method = "--auth-root-authentication-method=normal"
        subprocess.run(
            ["mariadb-install-db", *options, method, "--skip-test-db"], check=True, capture_output=True, cwd="/"
        )
        more = [f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1", "--skip-log-bin"]
        for name, content in (("cert", certificate), ("key", key)):
            (self._folder / name).write_bytes(content)
            more.append(f"--ssl-{name}={self._folder / name}")
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["mariadbd", *options, *more, "--innodb-flush-log-at-trx-commit=0"], stdout=self._log, stderr=self._log
        )
        self._socket = str(socket)
        wait_until(self._answers)

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[object, ...]]:
        """Run statements as root; the rows of the last."""
        with closing(pymysql.connect(unix_socket=self._socket, user="root", database=database)) as connection:
            connection.autocommit(True)
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

    def remove(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            self.execute("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True
