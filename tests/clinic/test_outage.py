"""When a real server loses its database, public pages still answer; others report the outage."""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests import database
from tests.clinic.test_serve import ROOT, free_port, wait_for

PUBLIC = [
    *("/", "/privacy/", "/accessibility/", "/language-help/", "/nondiscrimination/"),
    *("/conditions/", "/about/contact/", "/contact/", "/costs/"),
    *("/conditions/restless-legs/", "/conditions/restless-legs/iron/", "/conditions/clots/"),
    *("/sitemap.xml", "/robots.txt", "/feed/"),
    *("/static/css/base.css", "/static/img/logo.svg", "/healthz"),
]


def status(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def a_database(transactional_db):
    """The address of a migrated database, and a function that drops this database."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(database.copy("outage")), stack.close


@pytest.mark.slow
def test_public_pages_outlast_the_database(a_database, tmp_path):
    address, take_away = a_database
    at = f"http://127.0.0.1:{(port := free_port())}"
    gunicorn = ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    gunicorn += ["--no-control-socket", "--log-level", "critical", "clinic.wsgi"]
    env = os.environ | {
        "DEMO": "on",
        "DATABASE_URL": address,
        "PAGE_STORE": str(tmp_path / "pages"),
        "EMAIL_URL": f"file:{tmp_path / 'mail'}",
    }

    def program(*command: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env)

    server = None
    try:
        assert program("manage.py", "load_pages", "-v0").wait(120) == 0
        server = program(*gunicorn)
        wait_for(f"{at}/healthz")
        # `load_pages` filled the page store, so this server has rendered nothing but this search
        assert status(f"{at}/search/?q=iron") == 200
        take_away()

        for headers in ({}, {"Cookie": f"staff={'a' * 32}"}, {"Accept-Encoding": "gzip"}):
            for path in PUBLIC:
                assert status(at + path, **headers) == 200, path
        for path in ("/search/?q=iron", "/conditions/none/", "/readyz", "/admin/"):
            assert status(at + path, Cookie=f"staff={'a' * 32}") == 503, path

        # a server that starts while the database is down
        server.terminate()
        server.wait(30)
        server = program(*gunicorn)
        wait_for(f"{at}/healthz")
        assert status(f"{at}/conditions/restless-legs/iron/") == 200
    finally:
        if server:
            server.terminate()
            server.wait(30)
