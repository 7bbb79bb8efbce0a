"""Settings refuse to start with nonsense, and say which name is wrong and what to write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Run Python on a copy of the program, with this environment and no other, and no .env."""
    copy = tmp_path_factory.mktemp("program")
    shutil.copy(ROOT / "manage.py", copy)
    for folder in ("clinic", "intake", "education", "templates", "static"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, copy / folder)

    def run(changes: dict[str, str | None], *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"]}
        environment |= {name: value for name, value in changes.items() if value is not UNSET}
        command = [sys.executable, *(arguments or ("-c", "import clinic.settings"))]
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SECRET_KEY": UNSET}, ["SECRET_KEY is not set", "50 or more"]),
        ({"SECRET_KEY": "short"}, ["SECRET_KEY is too short", "50+"]),
        ({"SECRET_KEY": "django-insecure-" + "x" * 50}, ["SECRET_KEY", "known default"]),
        ({"SECRET_KEY": "demo-only-" + "0" * 50}, ["SECRET_KEY", "known default"]),
        ({"ALLOWED_HOSTS": UNSET}, ["ALLOWED_HOSTS", "name the host names"]),
        ({"ALLOWED_HOSTS": "*"}, ["ALLOWED_HOSTS", "no '*'"]),
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
        ({"CLINIC_LANGUAGES": "es"}, ["CLINIC_LANGUAGES", "'en' must be in it"]),
        ({"CLINIC_LANGUAGES": "en,xx"}, ["CLINIC_LANGUAGES", "en,es"]),
        ({"SI_SCREEN": "maybe"}, ["SI_SCREEN=on or =off"]),
        ({"DRAFT_IDLE_MINUTES": "1"}, ["DRAFT_IDLE_MINUTES", "from 5 to"]),
        ({"TRUSTED_PROXIES": "many"}, ["TRUSTED_PROXIES", "whole number from 0 to 5"]),
        ({"SECRET_KEY": UNSET, "SECRET_KEY_FILE": "/nowhere/key"}, ["SECRET_KEY_FILE", "/nowhere"]),
        ({"DEMO": "on"}, ["DEMO=on serves loopback only", "ALLOWED_HOSTS"]),
    ],
)
def test_refuses_to_start_and_names_the_cure(start, changes, words):
    done = start(PRODUCTION | changes)

    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
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


def test_a_laptop_needs_one_word(start):
    checks = "from clinic import settings as s; assert s.DEMO and not s.DEBUG and not s.SI_SCREEN"
    done = start({"DEMO": "on"}, "-c", checks)

    assert done.returncode == 0, done.stderr


def test_django_finds_nothing_to_warn_of_in_production(start):
    strict = ("--deploy", "--tag", "security", "--fail-level", "WARNING")
    done = start(PRODUCTION, "manage.py", "check", *strict)

    assert done.returncode == 0, done.stderr
