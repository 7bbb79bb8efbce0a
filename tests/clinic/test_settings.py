"""Wrong values of settings are refused. The message names the setting and says what to write."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from clinic.outgoing import mailurl

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "0123456789abcdefghij" * 3,
    "ALLOWED_HOSTS": "clinic.example",
    "CLINIC_PHONE": "+1 202-555-0100",
    "SITE_ORIGIN": "https://clinic.example",
    "EMAIL_URL": "smtp://clinic:pw@mail.example:587",
    "EMAIL_FROM": "Truffles <clinic@clinic.example>",
    "DATABASE_URL": "postgresql://clinic:pw@db.example:5432/clinic",
    "FIELD_KEYS_FILE": "/nowhere/field-keys.json",
    "INDEX_KEY_FILE": "/nowhere/index-key",
}
UNSET = None
# This program loads the settings once for each environment of a list, each time in a forked
# process, which has the slow imports already. A new Python would take ten times as long.
EACH = """
import json, os, sys, traceback, zoneinfo
import csp.constants, django.core.exceptions, django.utils.translation, phonenumbers
from pathlib import Path

results = []
for environment in json.load(sys.stdin):
    out = Path("said")
    if not (child := os.fork()):
        os.environ.clear()
        os.environ.update(environment)
        status = 0
        try:
            import clinic.settings
        except BaseException:
            out.write_text(traceback.format_exc())
            status = 1
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    results.append((status, out.read_text() if status else ""))
print(json.dumps(results))
"""


def environment(changes: dict[str, str | None]) -> dict[str, str]:
    """Return an environment with nothing but the path and these values."""
    return {name: value for name, value in changes.items() if value is not UNSET} | {
        "PATH": os.environ["PATH"]
    }


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Return a function that runs Python in a copy of the program without a .env file.

    The environment has only the given variables.
    """
    copy = tmp_path_factory.mktemp("program")
    shutil.copy(ROOT / "manage.py", copy)
    for folder in ("clinic", "intake", "education", "templates", "static"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, copy / folder)

    def run(
        changes: dict[str, str | None], *arguments: str, given: Any = ()
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *(arguments or ("-c", "import clinic.settings"))]
        return subprocess.run(
            command,
            input=json.dumps([environment(each) for each in given]),
            cwd=copy, env=environment(changes), capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


TWILIO = f"twilio:?ACCOUNT_SID=AC{'0' * 32}&AUTH_TOKEN={'a' * 32}&FROM=+12025550123"
AGREED = {"SMS_AGREEMENT": "2026-01-31"}
REFUSED = [
    ({"SECRET_KEY": UNSET}, ["SECRET_KEY is not set", "50 or more"]),
    ({"SECRET_KEY": "short"}, ["SECRET_KEY is too short", "50 or more"]),
    ({"SECRET_KEY": "django-insecure-" + "x" * 50}, ["SECRET_KEY", "known default"]),
    ({"SECRET_KEY": "demo-only-" + "0" * 50}, ["SECRET_KEY", "known default"]),
    ({"ALLOWED_HOSTS": UNSET}, ["ALLOWED_HOSTS", "write the host names"]),
    ({"ALLOWED_HOSTS": "*"}, ["ALLOWED_HOSTS", "without '*'"]),
    ({"CLINIC_PHONE": UNSET}, ["CLINIC_PHONE is not set", "number patients call"]),
    ({"CLINIC_PHONE": "call us"}, ["CLINIC_PHONE='call us'", "at least 3 digits"]),
    ({"CLINIC_PHONE": "+1 202-555-0100 ext 7"}, ["CLINIC_PHONE", "at least 3 digits"]),
    ({"CLINIC_PHONE": "+(1) 2."}, ["CLINIC_PHONE", "at least 3 digits"]),
    ({"CLINIC_PHONE": "\u0661\u0662\u0663"}, ["CLINIC_PHONE", "at least 3 digits"]),
    ({"CLINIC_PLACES": ", ,"}, ["CLINIC_PLACES", "names of at most 80"]),
    ({"CLINIC_PLACES": "North, South, North"}, ["CLINIC_PLACES", "each once"]),
    ({"CLINIC_PLACES": f"North,{'x' * 81}"}, ["CLINIC_PLACES", "names of at most 80"]),
    ({"PHONE_REGION": "us"}, ["PHONE_REGION='us'", "such as US"]),
    ({"PHONE_REGION": "America"}, ["PHONE_REGION='America'", "such as US"]),
    ({"DATABASE_URL": UNSET}, ["DATABASE_URL is not set", "postgresql://"]),
    ({"DATABASE_URL": "sqlite:///x.db"}, ["DATABASE_URL", "Only PostgreSQL"]),
    ({"DATABASE_URL": "postgresql://host"}, ["DATABASE_URL", "postgresql://user"]),
    ({"DATABASE_URL": "postgresql://u:p@host:db/clinic"}, ["DATABASE_URL", "host:5432"]),
    ({"DATABASE_URL": "postgresql://u:p@host:99999/clinic"}, ["DATABASE_URL", "host:5432"]),
    ({"DATABASE_URL": "postgresql://u:p@host:\u0663/clinic"}, ["DATABASE_URL", "host:5432"]),
    ({"FIELD_KEYS_FILE": UNSET}, ["FIELD_KEYS_FILE is not set", "make_keys"]),
    ({"INDEX_KEY_FILE": UNSET}, ["INDEX_KEY_FILE is not set", "make_keys"]),
    ({"CLINIC_TIME_ZONE": "Moon/Sea"}, ["CLINIC_TIME_ZONE", "America/New_York"]),
    ({"CLINIC_HOURS": "whenever"}, ["CLINIC_HOURS"]),
    ({"CLINIC_HOLIDAYS": "soon"}, ["CLINIC_HOLIDAYS"]),
    ({"PUBLIC_HOLIDAYS": "New York"}, ["PUBLIC_HOLIDAYS", "US-NY"]),
    ({"PRIVACY_PRACTICES": "http://example.org/"}, ["PRIVACY_PRACTICES", "https://"]),
    ({"PRIVACY_PRACTICES": "//example.org/"}, ["PRIVACY_PRACTICES", "https://"]),
    ({"INTERPRETER_PHONE": "ask us"}, ["INTERPRETER_PHONE", "at least 3 digits"]),
    ({"CLINIC_LANGUAGES": "es"}, ["CLINIC_LANGUAGES", "a list with 'en'"]),
    ({"CLINIC_LANGUAGES": "en,xx"}, ["CLINIC_LANGUAGES", "en,es"]),
    ({"SI_SCREEN": "maybe"}, ["SI_SCREEN=on or =off"]),
    ({"DRAFT_IDLE_MINUTES": "1"}, ["DRAFT_IDLE_MINUTES", "from 5 to"]),
    ({"DRAFT_SHARED_MINUTES": "1"}, ["DRAFT_SHARED_MINUTES", "from 5 to"]),
    ({"DRAFT_OWN_HOURS": "25", "DRAFT_DAYS": "1"}, ["DRAFT_OWN_HOURS", "from 1 to 24"]),
    ({"DRAFT_VEIL_MINUTES": "0"}, ["DRAFT_VEIL_MINUTES", "from 5 to"]),
    ({"SHARED_DEVICE": "kiosk"}, ["SHARED_DEVICE=on or =off"]),
    ({"TRUSTED_PROXIES": "many"}, ["TRUSTED_PROXIES", "whole number from 0 to 5"]),
    ({"SECRET_KEY": UNSET, "SECRET_KEY_FILE": "/nowhere/key"}, ["SECRET_KEY_FILE", "/nowhere"]),
    ({"DEMO": "on"}, ["DEMO=on serves loopback only", "ALLOWED_HOSTS"]),
    ({"SITE_ORIGIN": UNSET}, ["SITE_ORIGIN is not set", "https://clinic.example.org"]),
    ({"SITE_ORIGIN": "https://clinic.example/"}, ["SITE_ORIGIN", "no path"]),
    ({"SITE_ORIGIN": "https://clinic.example/my"}, ["SITE_ORIGIN", "no path"]),
    ({"SITE_ORIGIN": "http://clinic.example"}, ["SITE_ORIGIN", "begins with https://"]),
    ({"SITE_ORIGIN": "clinic.example"}, ["SITE_ORIGIN", "scheme and host"]),
    ({"EMAIL_URL": UNSET}, ["EMAIL_URL is not set", "smtp://", "postmark"]),
    ({"EMAIL_URL": "file:/srv/mail"}, ["EMAIL_URL", "laptop"]),
    ({"EMAIL_URL": "pigeon://roof"}, ["EMAIL_URL", "smtps://", "postmark"]),
    ({"EMAIL_URL": "smtp://"}, ["EMAIL_URL", "smtp://user:password@host:587"]),
    ({"EMAIL_URL": "smtp://host:many"}, ["EMAIL_URL", "smtp://user:password@host:587"]),
    ({"EMAIL_URL": "smtp://user@host"}, ["EMAIL_URL", "a user needs a password"]),
    ({"EMAIL_URL": "postmark:"}, ["EMAIL_URL", "postmark:?POSTMARK_"]),
    ({"EMAIL_FROM": UNSET}, ["EMAIL_FROM is not set", "illness"]),
    ({"EMAIL_FROM": "the clinic"}, ["EMAIL_FROM", "clinic@example.org"]),
    ({"AUDIT_ANCHOR_TO": "a@b.org, the auditor"}, ["AUDIT_ANCHOR_TO", "the auditor"]),
    ({"SMS_BACKEND": "yes"}, ["SMS_BACKEND", "dotted path", "off"]),
    ({"SMS_BACKEND": "clinic.outgoing.sms.console"}, ["SMS_BACKEND", "laptop", "off"]),
    ({"SMS_URL": TWILIO}, ["SMS_AGREEMENT is not set", "business associate", "docs/operations.md"]),
    ({"SMS_URL": TWILIO, "SMS_AGREEMENT": "soon"}, ["SMS_AGREEMENT='soon'", "2026-01-31"]),
    ({"SMS_URL": TWILIO, "SMS_AGREEMENT": "2999-01-01"}, ["SMS_AGREEMENT", "not in the future"]),
    ({"SMS_URL": "twilio:?FROM=x", "SMS_AGREEMENT": "2026-01-31"}, ["SMS_URL: ACCOUNT_SID"]),
    ({"SMS_URL": "pigeon:?TOKEN=CANARY"}, ["SMS_URL: write twilio:?ACCOUNT_SID=AC"]),
    ({"SMS_URL": TWILIO, **AGREED, "SMS_BACKEND": "off"}, ["one of the two"]),
    ({"SMS_URL": f"{TWILIO}&API=http://127.0.0.1:1", **AGREED}, ["API is for a test"]),
    ({"TEXT_HOURS": "21-8"}, ["TEXT_HOURS", "8-21"]),
    ({"TEXT_HOURS": "always"}, ["TEXT_HOURS", "8-21"]),
    ({"TEXTS_A_DAY": "0"}, ["TEXTS_A_DAY", "from 1 to"]),
    ({"TEXTS_A_WEEK": "many"}, ["TEXTS_A_WEEK", "from 1 to"]),
    ({"ESCALATE_MINUTES": "0"}, ["ESCALATE_MINUTES", "from 1 to 1440"]),
    ({"OUTBOX_LEASE_SECONDS": "5"}, ["OUTBOX_LEASE_SECONDS", "from 10 to 600"]),
    ({"APPOINTMENT_MODE": "calls"}, ["APPOINTMENT_MODE='calls'", "requests or slots"]),
    ({"APPOINTMENT_REMIND_DAYS": "3,soon"}, ["APPOINTMENT_REMIND_DAYS", "such as 3,2"]),
    ({"APPOINTMENT_REMIND_DAYS": "0"}, ["APPOINTMENT_REMIND_DAYS", "from 1 to 30"]),
    ({"APPOINTMENT_HORIZON_DAYS": "1"}, ["APPOINTMENT_HORIZON_DAYS", "from 14 to 366"]),
]


@pytest.fixture(scope="module")
def refusals(start) -> list[list[Any]]:
    """For each entry of REFUSED: the exit status and the error when the settings were loaded."""
    done = start({}, "-c", EACH, given=[PRODUCTION | changes for changes, _words in REFUSED])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("number", "words"),
    [(number, words) for number, (_changes, words) in enumerate(REFUSED)],
    ids=["-".join(changes) for changes, _words in REFUSED],
)
def test_refuses_to_start_and_names_the_cure(refusals, number, words):
    status, said = refusals[number]

    assert status == 1, REFUSED[number]
    last = said.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    for word in words:
        assert word in last


def test_a_setting_of_production_starts_and_is_strict(start):
    checks = """
from clinic import settings as s
assert s.DEBUG is False and s.DEMO is False
assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_SSL_REDIRECT
assert s.SECURE_HSTS_SECONDS >= 31_536_000
names = s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.DRAFT_COOKIE_NAME
assert all(name.startswith("__Host-") for name in names) and len(set(names)) == 3
"""
    done = start(PRODUCTION, "-c", checks)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"CLINIC_PHONE": "112"},
        {"CLINIC_PHONE": "(202) 555.0100"},
        {"CLINIC_PLACES": f"Praça do Comércio, {'x' * 80}"},
        {"PHONE_REGION": "DE"},
        {"DATABASE_URL": "postgresql://u:p@host/clinic"},
        {"DATABASE_URL": "postgresql://u:p@%2Frun%2Fpostgresql/clinic"},
    ],
)
def test_what_a_clinic_may_write_starts(start, changes):
    done = start(PRODUCTION | changes)

    assert done.returncode == 0, done.stderr


def test_the_databases_password_may_stand_in_a_file(start, tmp_path):
    (tmp_path / "url").write_text("postgresql://u:from-file@host/clinic\n")
    changes = {"DATABASE_URL": UNSET, "DATABASE_URL_FILE": str(tmp_path / "url")}
    checks = """
from clinic import settings as s
assert s.DATABASES["default"]["PASSWORD"] == "from-file" and not s.EMBEDDED_DATABASE
"""
    done = start(PRODUCTION | changes, "-c", checks)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "shared", "before"),
    [
        ({}, 20, 30),
        ({"DRAFT_IDLE_MINUTES": "10"}, 10, 10),
        ({"DRAFT_IDLE_MINUTES": "60"}, 20, 60),
        ({"DRAFT_IDLE_MINUTES": "10", "DRAFT_SHARED_MINUTES": "15"}, 15, 10),
    ],
)
def test_who_had_shortened_the_idle_time_keeps_it_on_shared_devices(start, changes, shared, before):
    checks = f"""
from clinic import settings as s
assert (s.DRAFT_SHARED_MINUTES, s.DRAFT_IDLE_MINUTES) == ({shared}, {before})
assert (s.DRAFT_OWN_HOURS, s.DRAFT_VEIL_MINUTES, s.SHARED_DEVICE) == (24, 30, False)
"""
    done = start(PRODUCTION | changes, "-c", checks)

    assert done.returncode == 0, done.stderr


def test_a_laptop_needs_one_word(start):
    checks = "from clinic import settings as s; assert s.DEMO and not s.DEBUG and not s.SI_SCREEN"
    done = start({"DEMO": "on"}, "-c", checks)

    assert done.returncode == 0, done.stderr


def test_a_demonstration_asks_about_suicide_if_a_reviewer_says_so(start):
    checks = "from clinic import settings as s; assert s.DEMO and s.SI_SCREEN"
    done = start({"DEMO": "on", "SI_SCREEN": "on"}, "-c", checks)

    assert done.returncode == 0, done.stderr


def test_django_finds_nothing_to_warn_of_in_production(start):
    strict = ("--deploy", "--tag", "security", "--fail-level", "WARNING")
    done = start(PRODUCTION, "manage.py", "check", *strict)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("url", "checks"),
    [
        (
            "smtp://clinic%40x:p%2Fw@mail.example",
            "s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL"
            " == 'mail.example', 587, True, False",
        ),
        (
            "smtp://clinic%40x:p%2Fw@mail.example",
            "s.EMAIL_HOST_USER, s.EMAIL_HOST_PASSWORD == 'clinic@x', 'p/w'",
        ),
        (
            "smtps://a:b@mail.example",
            "s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL == 465, False, True",
        ),
        # a mail relay on this machine needs no TLS
        ("smtp://127.0.0.1:25", "s.EMAIL_PORT, s.EMAIL_USE_TLS == 25, False"),
        (
            "postmark:?POSTMARK_SERVER_TOKEN=abc",
            "s.EMAIL_BACKEND, s.ANYMAIL['POSTMARK_SERVER_TOKEN']"
            " == 'anymail.backends.postmark.EmailBackend', 'abc'",
        ),
    ],
)
def test_ways_for_mail_to_leave(start, url, checks):
    found, _sign, wanted = checks.partition(" == ")
    program = f"""
from clinic import settings as s
from django.utils.module_loading import import_string
assert ({found}) == ({wanted}), ({found})
assert s.EMAIL_TIMEOUT == s.ANYMAIL["REQUESTS_TIMEOUT"] == 10
assert s.SMS_BACKEND == ""
"""
    done = start(PRODUCTION | {"EMAIL_URL": url}, "-c", program)

    assert done.returncode == 0, done.stderr


def test_twilio_sends_the_text_messages_once_the_agreement_is_signed(start):
    program = """
from clinic import settings as s
assert s.SMS_BACKEND == "clinic.outgoing.twilio.send"
assert s.TWILIO.sender == "+12025550123", s.TWILIO.sender
assert s.TWILIO.api == "https://api.twilio.com"
"""
    done = start(PRODUCTION | {"SMS_URL": TWILIO} | AGREED, "-c", program)

    assert done.returncode == 0, done.stderr


def test_what_is_wrong_with_a_url_is_said_without_its_password(start):
    done = start(PRODUCTION | {"EMAIL_URL": "smtp://clinic:CANARY@mail.example/inbox"})

    assert done.returncode != 0
    assert "CANARY" not in done.stderr


@pytest.mark.parametrize("provider", mailurl.PROVIDERS)
def test_every_provider_is_one_that_anymail_has(provider):
    assert issubclass(import_string(f"anymail.backends.{provider}.EmailBackend"), BaseEmailBackend)
