"""`make run`, without the installing: an empty database becomes a clinic that answers."""

import json
import os
import signal
import socket
import subprocess
import sys
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
SEND = "from tests import builders; builders.submission()"


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
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"no answer from {url}")


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker):
    name = f"serve_{os.getpid()}"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    parts = urlsplit(os.environ["DATABASE_URL"])
    yield f"{parts.scheme}://{parts.netloc}/{name}"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for_mail(folder: Path, seconds: float = 40) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in folder.glob("*.eml"):
            return path.read_text()
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
        # somebody sends a request: its confirmation lands as a file
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", SEND],
            cwd=ROOT,
            env=env,
            check=True,
            timeout=60,
        )
        mail = wait_for_mail(tmp_path / "mail")
        assert f"\nhttp://127.0.0.1:{port}/my/\n" in mail
        sign_ins = subprocess.run(
            [sys.executable, "manage.py", "demo", "--sign-ins"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
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
