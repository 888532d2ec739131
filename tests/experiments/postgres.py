"""A real PostgreSQL on loopback, with a folder of its own; it can be killed and started again."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The folder of `initdb`, which Debian keeps off the path."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(on_path).parent if on_path else found[-1].parent if found else None


class Postgres:
    def __init__(self) -> None:
        bin = binaries()
        if bin is None:
            pytest.skip("PostgreSQL is missing: install Debian's package postgresql")
        self._bin, self.port = bin, free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="inkling-postgres-"))
        self._as_user: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            self._as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(self._folder, "nobody", "nogroup")
        (self._folder / "password").write_text("ink")
        os.chmod(self._folder / "password", 0o644)
        self._run("initdb", "-D", "data", "-U", "inkling", "--auth=scram-sha-256", "--pwfile=password", "--no-sync")
        self.start()
        self.url = f"postgresql+psycopg://inkling:ink@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = f"-p {self.port} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", settings, "start")

    def crash(self) -> None:
        """All its processes end at once, whatever they are doing; the next start recovers."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._bin / program), *arguments]
        done = subprocess.run(command, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert not done.returncode, done.stdout.decode()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(condition, seconds: float = 60.0, pause_s: float = 0.05) -> None:
    """Fails where it does not come true; the time is no claim about speed."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(pause_s)
