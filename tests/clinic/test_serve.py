"""`make run` without the installation: an empty database becomes a clinic that answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from clinic import devdb

ROOT = Path(settings.BASE_DIR)
# a patient sends a request, and the names of the demonstration's staff are asked for
SEND = """
from django.core.management import call_command
from tests import builders
builders.submission()
call_command("demo", "--sign-ins")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(url: str, seconds: float = 40) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return get(url)
        except OSError:  # the connection was refused, or the answer came too late
            time.sleep(0.2)
    raise AssertionError(f"no answer from {url}")


@pytest.fixture
def empty_database(transactional_db):
    name = f"serve_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    parts = urlsplit(os.environ["DATABASE_URL"])
    yield f"{parts.scheme}://{parts.netloc}/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for_mail(folder: Path, words: str, seconds: float = 40) -> None:
    """Wait for a mail with these words. Staff of the demonstration get mails, too."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(words in path.read_text() for path in folder.glob("*.eml")):
            return
        time.sleep(0.2)
    raise AssertionError(f"no mail in {folder}")


def test_one_command_serves_patients_and_staff_and_ends_with_one_signal(empty_database, tmp_path):
    port = free_port()
    mails = f"file:{tmp_path / 'mail'}"
    env = os.environ | {"DEMO": "on", "DATABASE_URL": empty_database, "EMAIL_URL": mails}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert "Truffles Vein Specialists" in wait_for(f"http://127.0.0.1:{port}/")
        ready = json.loads(get(f"http://127.0.0.1:{port}/readyz"))
        assert ready["ready"] is True
        sign_ins = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", SEND],
            cwd=ROOT,
            env=env,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        # the confirmation is written to a file
        wait_for_mail(tmp_path / "mail", f"\nhttp://127.0.0.1:{port}/my/\n")
        people = json.loads(sign_ins.stdout)
        assert {"role", "username", "password", "totp_secret"} == set(people[0])
    finally:
        server.send_signal(signal.SIGINT)
        said, _nothing = server.communicate(timeout=20)
    assert server.returncode == 0
    assert f"http://127.0.0.1:{port}/" in said
    assert f"Mails are files in {tmp_path / 'mail'}" in said
    assert people[0]["username"] in said
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(f"http://127.0.0.1:{port}/healthz")


def test_the_embedded_database_starts_stops_and_survives_a_kill(tmp_path):
    folder = tmp_path / "a database in a folder with a rather long name, long enough for trouble"
    server = devdb.DevPostgres(folder)
    server.start()
    try:
        assert server.answers()
        server.process.kill()
        server.process.wait(10)
        with devdb.running(folder):
            assert devdb.DevPostgres(folder).answers()
    finally:
        server.stop()
    assert not devdb.DevPostgres(folder).answers()


# --- as root, whom PostgreSQL refuses -------------------------------------------------------------


@pytest.fixture
def as_root(monkeypatch, tmp_path):
    """Return a function that makes a database server believe that it runs as root.

    The function's argument says whether a command works on the machine. The function returns the
    server, and a dictionary of the folders whose owner the server changed.
    """
    owners = {}

    def on_a_machine_where(works):
        monkeypatch.setattr(devdb.os, "geteuid", lambda: 0)
        monkeypatch.setattr(
            devdb.shutil, "chown", lambda path, user, group: owners.update({path: user})
        )
        monkeypatch.setattr(devdb, "_works", works)
        server = devdb.DevPostgres(tmp_path)
        server.bin = tmp_path / "bin"
        return server, owners

    return on_a_machine_where


def test_root_runs_the_database_in_a_namespace_of_its_own(as_root):
    server, owners = as_root(lambda command, account=None: command[0] == "unshare")

    assert server.unprivileged() == (devdb.NAMESPACE, {})
    assert owners == {}


def test_root_without_namespaces_runs_it_as_nobody(as_root, tmp_path):
    server, owners = as_root(lambda command, account=None: account == devdb.NOBODY)

    assert server.unprivileged() == ([], devdb.NOBODY)
    assert owners == {tmp_path: devdb.NOBODY["user"]}


@pytest.mark.parametrize("hidden", ["postgres", "ls"])
def test_root_is_told_what_to_do_when_nobody_reaches_program_or_folder(as_root, hidden):
    def works(command, account=None):
        return account == devdb.NOBODY and not command[0].endswith(hidden)

    server, owners = as_root(works)
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        server.unprivileged()
    assert owners == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
def test_a_database_of_nobody_starts_again_and_stops(monkeypatch):
    if not devdb._works([str(devdb._binaries() / "postgres"), "--version"], devdb.NOBODY):
        pytest.skip("the program lies where nobody may not read")
    monkeypatch.setattr(devdb, "NAMESPACE", ["no-such-program"])
    # not tmp_path, because other accounts cannot enter its folder
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for _time in range(2):
            with devdb.running(Path(folder) / "pg"):
                assert devdb.DevPostgres(Path(folder) / "pg").answers()
        assert (Path(folder) / "pg" / "data").stat().st_uid == devdb.NOBODY["user"]
