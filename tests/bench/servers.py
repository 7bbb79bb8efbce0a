"""Start the measured servers: one PostgreSQL, and a gunicorn for the clinic and for the floor."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from clinic import devdb

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = "--workers 2 --threads 4 --keep-alive 60 --no-control-socket --log-level warning".split()


@dataclass(frozen=True)
class Server:
    """A site on loopback. `stored` counts the forms in the site's database."""

    port: int
    database: str
    table: str
    host: str

    def stored(self) -> int:
        connection = psycopg2.connect(host=self.host, user=devdb.USER, dbname=self.database)
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(f"select count(*) from {self.table}")
            return cursor.fetchone()[0]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment variables of clinic and floor. Both use the PostgreSQL in `folder`."""
    host = str(devdb.socket_dir(folder / "pg"))
    return {
        "DEMO": "on",
        "DATABASE_URL": devdb.url(folder / "pg"),
        "FIELD_KEYS_FILE": str(folder / "field-keys.json"),
        "INDEX_KEY_FILE": str(folder / "index-key"),
        "PAGE_STORE": str(folder / "pages"),
        "FLOOR_PAGE": str(folder / "page.html"),
        "MIN_FILL_SECONDS": "0",
        "LIMIT_CODES_PEER": "1000000",
        "LIMIT_CODES_SITE": "1000000",
        "LIMIT_INTAKE_STARTS": "1000000",
        "LIMIT_INTAKE_SENDS": "1000000",
        "FLOOR_HOST": host,
        "FLOOR_USER": devdb.USER,
    }


@contextlib.contextmanager
def database(folder: Path) -> Iterator[None]:
    """Run a PostgreSQL for the bench, as durable as production, with the tables of both sites."""
    with devdb.running(folder / "pg"):
        host = str(devdb.socket_dir(folder / "pg"))
        connection = psycopg2.connect(host=host, user=devdb.USER, dbname="postgres")
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("create database floor")
        _migrate("clinic.settings")
        # creates the user table, which the tables of --run-syncdb refer to
        _migrate("tests.bench.floor.settings")
        _migrate("tests.bench.floor.settings", "--run-syncdb")
        yield


def _migrate(settings: str, *options: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "-v0", "--settings", settings, *options]
    subprocess.run(command, cwd=ROOT, check=True)


@dataclass(frozen=True)
class Gunicorn:
    """A gunicorn that was started, but may not answer yet."""

    port: int
    pid: int


@contextlib.contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[Server, Server]]:
    """Run one gunicorn for the clinic with these settings, and one for the floor.

    Each has the same number of workers.
    """
    host = str(devdb.socket_dir(folder / "pg"))
    with gunicorn("clinic.wsgi", **settings) as ours, gunicorn("tests.bench.floor.wsgi") as floor:
        yield (
            Server(ours.port, "postgres", "intake_submission", host),
            Server(floor.port, "floor", "floor_form", host),
        )


@contextlib.contextmanager
def bare() -> Iterator[int]:
    """Run gunicorn with one view that returns the bytes of FLOOR_PAGE, without middleware.

    Yields the port.
    """
    with gunicorn("tests.bench.floor.bare") as server:
        yield server.port


@contextlib.contextmanager
def gunicorn(wsgi: str, *options: str, **settings: str) -> Iterator[Gunicorn]:
    """Serve a site by gunicorn with these options and settings, and stop gunicorn at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # gunicorn sets this option only when it has started, too late for the first connections
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind = f"fd://{listening.fileno()}"
        command = [sys.executable, "-m", "gunicorn", *GUNICORN, *options, "--bind", bind, wsgi]
        # the server has its own settings module
        env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"} | settings
        server = subprocess.Popen(command, cwd=ROOT, env=env, pass_fds=[listening.fileno()])
        try:
            yield Gunicorn(listening.getsockname()[1], server.pid)
        finally:
            server.terminate()
            server.wait(20)
