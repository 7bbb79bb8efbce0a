"""The public pages, the health checks and the error pages."""

import pytest
from django.db import OperationalError, connection
from django.urls import get_resolver

from clinic import views
from clinic.context import phone_link

PUBLIC = ["/", "/privacy/", "/accessibility/", "/language-help/", "/nondiscrimination/"]


# These tests have no database mark, so a query or a session would make them fail.
@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_need_no_database_and_set_no_cookie(client, settings, path):
    assert client.get(path).status_code == 200
    assert not client.get(path).cookies
    # the pages also work with the cookie of a member of staff
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", [*PUBLIC, "/healthz", "/readyz"])
def test_pages_that_only_show_take_no_post(client, path):
    response = client.post(path)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


def test_healthz_touches_nothing(client):
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_says_yes_when_database_and_migrations_are_there(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "database": True,
        "migrations": True,
        "queue": True,
    }


@pytest.mark.django_db
def test_readyz_says_no_while_a_migration_is_missing(client, monkeypatch):
    monkeypatch.setattr(views, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'clinic'")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "database": True,
        "migrations": False,
        "queue": False,
    }


def test_readyz_says_no_without_a_database_and_not_why(client, monkeypatch):
    def gone():
        raise OperationalError("connection to server at 10.1.2.3 failed")

    monkeypatch.setattr(connection, "cursor", gone)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "database": False,
        "migrations": False,
        "queue": False,
    }


def test_an_unknown_address_is_404_with_a_way_on(client):
    response = client.get("/no/such/page/")

    assert response.status_code == 404
    assert b"We cannot find this page" in response.content
    assert not response.cookies


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429])
def test_error_pages_render(rf, status):
    response = views.error_page(rf.get("/"), status)

    assert response.status_code == status
    assert b'href="tel:' in response.content


@pytest.mark.parametrize("path", ["/readyz/", "/account/password/reset/", "/account/email/"])
def test_what_is_not_offered_is_not_there(client, path):
    assert client.get(path).status_code == 404


def test_every_view_of_ours_names_its_methods(client):
    """A plain function answers any method, so a decorator limits the methods of each view."""
    ours = {
        pattern.name: pattern.callback
        for pattern in get_resolver().url_patterns
        if getattr(pattern, "callback", None) and pattern.callback.__module__.startswith("clinic")
    }
    assert {"healthz", "readyz"} <= ours.keys()
    assert all(hasattr(view, "__wrapped__") for view in ours.values())


@pytest.mark.parametrize(
    ("number", "link"),
    [
        ("+1 202-555-0123", "tel:+12025550123"),
        ("(202) 555-0123", "tel:2025550123"),
        (" +44 20 7946 0000", "tel:+442079460000"),
    ],
)
def test_phone_links(number, link):
    assert phone_link(number) == link
