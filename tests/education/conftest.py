"""Fixtures for pages about conditions: sample pages, people, page stores, a failing database."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

from clinic.pagecache import store
from education import content
from education.models import Page
from education.services import loading
from tests import builders, redis_server
from tests.education import desk, samples

GROUPS = (content.Condition("knees", "Noisy knees"), content.Condition("about", "About us"))


@pytest.fixture
def pages(db) -> dict[str, Page]:
    """The two sample pages by name, as loaded from files."""
    return load()


def load(*texts: content.Page) -> dict[str, Page]:
    """Load these pages from files, by default the two samples."""
    loading.load_pages(conditions=GROUPS, pages=texts or (samples.overview(), samples.creaking()))
    return {page.name: page for page in Page.objects.with_texts()}


@pytest.fixture
def page(pages) -> Page:
    return pages["knees/creaking"]


@pytest.fixture
def editor() -> Client:
    return builders.sign_in(Client(), desk.editor())


@pytest.fixture
def clinician() -> Client:
    return builders.sign_in(Client(), desk.clinician())


@pytest.fixture(scope="module")
def redis() -> str:
    with redis_server.running() as address:
        yield address


@pytest.fixture(params=["folder", "redis"])
def address(request, tmp_path) -> str:
    """The address of an empty page store. Each test runs with a folder, and again with Redis."""
    if request.param == "folder":
        return str(tmp_path / "pages")
    found = request.getfixturevalue("redis")
    store.opened(found).redis.flushall()
    return found


@pytest.fixture
def kept(address, settings) -> store.Store:
    settings.PAGE_STORE = address
    return store.opened(address)


@pytest.fixture
def folder(tmp_path, settings) -> store.Folder:
    settings.PAGE_STORE = str(tmp_path / "pages")
    return store.opened(settings.PAGE_STORE)


@pytest.fixture
def no_database(monkeypatch):
    """Return a function that makes every use of the database fail until the test's end."""

    def gone(*_args, **_kwargs):
        raise OperationalError("connection to server at 10.1.2.3 failed")

    def go():
        monkeypatch.setattr(connection, "cursor", gone)
        monkeypatch.setattr(connection, "ensure_connection", gone)

    return go
