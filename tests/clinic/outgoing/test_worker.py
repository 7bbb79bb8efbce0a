"""The worker as a process delivers the waiting messages, and ends without losing a message."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django_tasks_db.models import DBTaskResult

from tests.clinic.outgoing.notes import now, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("say")]


@pytest.fixture
def worker(settings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start real workers on this test's database. A worker does not know the messages of tests."""
    started: list[subprocess.Popen[str]] = []
    database = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"

    def start(**env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=django_settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_the_worker_runs_tasks_and_ends_in_order(worker):
    """Stop the worker as Ctrl-C does. The next test stops it as a service manager does."""
    process = worker()
    message = put()
    wait_until(lambda: now(message).error == "NoComposer")
    wait_until(lambda: DBTaskResult.objects.get().status == "SUCCESSFUL")
    process.send_signal(signal.SIGINT)
    said, _nothing = process.communicate(timeout=20)

    assert process.returncode == 0, said


@pytest.mark.django_db(transaction=True)
def test_the_worker_delivers_what_no_task_speaks_of_and_outlives_its_connections(worker):
    message = put()
    DBTaskResult.objects.all().delete()
    process = worker()
    wait_until(lambda: now(message).error == "NoComposer")
    # end the worker's connection, as a restart of the database does
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    another = put("two")
    wait_until(lambda: now(another).error == "NoComposer")

    assert process.poll() is None
    process.terminate()
    said, _nothing = process.communicate(timeout=20)
    assert process.returncode == 0, said
    for line in said.splitlines():
        assert line.startswith('{"ts"'), line
