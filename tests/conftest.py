"""Fixtures for many tests: the clinic open or closed at will, the log as it is written."""

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings as site
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from clinic import audit
from clinic import hours as clinic_hours
from clinic.logs import JsonFormatter
from clinic.opening_hours import ClinicHours
from intake import calendars, protocols
from intake.questionnaire.views import contact_step, question_step, start, wish_step
from tests import database, parsed
from tests.intake import second


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes(django_test_environment: None) -> Iterator[None]:
    """Make hashing quick in tests.

    Production hashes slowly on purpose, to stop people who guess: a password takes a third of a
    second, a code 24 ms.
    """
    site.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def scrypt(secret: bytes, **given: Any) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", secret, given["salt"], 1, given["dklen"])

    with mock.patch("hashlib.scrypt", scrypt):
        yield


@pytest.fixture(scope="session", autouse=True)
def _yaml_parsed_once() -> Iterator[None]:
    with mock.patch("intake.protocols.files.parse", parsed.parse):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: Any
) -> None:
    """Let the database of each worker be a copy of a database that was migrated before.

    The time limit for idle transactions is raised, because on a busy machine a test waits longer
    for the programs it starts than production lets a transaction idle.
    """
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = database.template()
        connection.settings_dict["OPTIONS"]["options"] += (
            " -c idle_in_transaction_session_timeout=300000"
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Begin the audit trail with one event. After the last test, end connections that are left.

    The trail is append-only: a test whose transaction commits leaves events in the trail, so no
    test may expect an empty trail. A server whose browser was just closed may hold a connection for
    a moment longer, and the test database cannot be dropped while a connection is left.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        audit.record(actor="system:tests", action="config", subject="-")
        TransactionTestCase._fixture_teardown = database.fixture_teardown()
    yield
    connection.close()  # PostgreSQL may have ended this idle connection already
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _events_chained_at_once(request: pytest.FixtureRequest) -> None:
    """Chain events when they are recorded, in a test that is rolled back and so never commits.

    A test with `transaction=True` has commits of its own.
    """
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        if connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute("set constraints aud.at_commit immediate")


@pytest.fixture(autouse=True)
def _hours_of_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take the hours from the settings alone, except in a test with the fixture `calendar`."""
    read = clinic_hours.calendar._read
    clinic_hours.calendar.register(None)
    yield
    clinic_hours.calendar.register(read)


@pytest.fixture
def calendar(db: None) -> Any:
    """Let the closures, holidays and places of the database count, each time they are asked for."""
    kept = clinic_hours.calendar
    with mock.patch("clinic.last_known.SECONDS", 0):
        kept.register(calendars.read)
        yield kept


@pytest.fixture(autouse=True)
def _no_protocol_of_another_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a test read from another folder of protocols, so that no later test gets it."""
    folder = protocols.HERE
    yield
    if folder != protocols.HERE:
        for thing in vars(protocols).values():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()


@pytest.fixture
def clinic_open(settings) -> None:
    """The clinic is open for some hours to come, whenever the test runs.

    The clinic gets a time zone in which it is late in the morning now.
    """
    zone = f"Etc/GMT{min(timezone.now().hour - 10, 12):+d}"
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 00:00-24:00", [], zone)


@pytest.fixture
def clinic_closed(settings) -> None:
    """The clinic is closed, whenever the test runs."""
    today = timezone.localdate()
    holidays = [(today + timedelta(days=days)).isoformat() for days in range(-1, 3)]
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 09:00-17:00", holidays, settings.TIME_ZONE)


@pytest.fixture
def fresh_pages() -> Iterator[None]:
    """Render blank pages anew, for a test that changes settings which every page shows."""
    _forget_pages()
    yield
    _forget_pages()


def _forget_pages() -> None:
    for module in (contact_step, question_step, start, wish_step):
        for thing in vars(module).values():
            if hasattr(thing, "cache_clear") and thing.__module__ == module.__name__:
                thing.cache_clear()


@pytest.fixture
def written_log() -> Iterator[StringIO]:
    """Everything that is logged, by every logger and at every level, as the program writes it."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def roomy(settings) -> None:
    """Lift the limits, for tests that begin more drafts than any person would."""
    settings.LIMIT_INTAKE_STARTS = settings.LIMIT_INTAKE_SENDS = 1_000_000


@pytest.fixture
def both_served(monkeypatch, tmp_path) -> Iterator[Path]:
    """Serve all protocols of the program, `legs` first, and return their folder."""
    folder, names = tmp_path / "protocols", protocols.available()
    folder.mkdir()
    for shipped in (*names, "shared"):
        (folder / shipped).symlink_to(protocols.HERE / shipped)
    monkeypatch.setattr(protocols, "HERE", folder)
    second.serve(folder, *names)
    yield folder
    monkeypatch.undo()
    second.start_anew()
