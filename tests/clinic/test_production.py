"""Production starts only with all settings, keys and signatures; an error names what is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """An environment in which only a clinician's signature is missing."""
    keys = tmp_path_factory.mktemp("keys")
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    env |= {
        "DEMO": "off",
        "SECRET_KEY": "k" * 20 + "production" * 5,
        "ALLOWED_HOSTS": "clinic.example.org",
        "CLINIC_PHONE": "+1 202-555-0123",
        "CIVIL_RIGHTS_CONTACT": "none",
        "SITE_ORIGIN": "https://clinic.example.org",
        "EMAIL_URL": "smtp://clinic:pw@mail.example.org",
        "EMAIL_FROM": "clinic@example.org",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "FIELD_KEYS_FILE": str(keys / "field-keys.json"),
        "INDEX_KEY_FILE": str(keys / "index-key"),
    }
    for arguments in ([env["FIELD_KEYS_FILE"]], ["--index", env["INDEX_KEY_FILE"]]):
        made = run(env, "manage.py", "make_keys", *arguments)
        assert made.returncode == 0, made.stderr
    return env


def run(env, *command):
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


def test_the_server_refuses_a_protocol_that_no_clinician_has_signed(production):
    # a database that does not answer is no reason to refuse
    away = production | {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/clinic"}
    started = run(away, "-c", "import clinic.wsgi")

    assert started.returncode != 0
    assert "Not started" in started.stderr
    assert "fsync" not in started.stderr
    assert "approved_by" in started.stderr
    assert "intake/protocols/legs/approval.yaml" in started.stderr


@pytest.mark.django_db
def test_the_server_refuses_a_database_that_forgets(production):
    with connection.cursor() as cursor:
        cursor.execute("show fsync")
        if cursor.fetchone() == ("on",):
            pytest.skip("only the database that these tests bring forgets at a power cut")
    there = production | {
        "DATABASE_URL": production["DATABASE_URL"].rpartition("/")[0] + "/postgres"
    }
    started = run(there, "-c", "import clinic.wsgi")
    for name in ("fsync", "full_page_writes"):
        assert f"The database has {name} off" in started.stderr


def test_a_demonstration_starts_unsigned(production):
    demo = production | {"DEMO": "on", "ALLOWED_HOSTS": "127.0.0.1"}

    assert run(demo, "-c", "import clinic.wsgi").returncode == 0


@pytest.mark.parametrize("arguments", [["demo", "--sign-ins"], ["serve"]])
def test_production_has_no_demonstration(production, arguments):
    refused = run(production, "manage.py", *arguments)

    assert refused.returncode != 0
    assert "DEMO=on" in refused.stderr


def test_rules_can_be_tried_from_the_command_line(production):
    line = json.dumps({"answers": {"em_now": ["none", "chest_or_breath"]}, "meta": {}})
    done = subprocess.run(
        [sys.executable, "manage.py", "assess", "-"],
        cwd=ROOT,
        env=production,
        input=line,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["urgency"] == "emergency"
    assert answer["interrupt"] is True
    assert "em_now" in answer["invalid"]
