"""Single keys can be switched off for an account, and a page says when its session ends."""

import re
import time

import pytest
from django.test import Client

from clinic.people.sessions import SEEN, STARTED, SessionStore
from tests import builders
from tests.clinic.people import ada
from tests.desk import WORKLIST, words

KEYBOARD = "/account/keyboard/"
pytestmark = pytest.mark.django_db


def script(client: Client, page: str = WORKLIST) -> str:
    found = re.search(r"<script src=\"[^\"]*desk\.js\"[^>]*>", client.get(page).content.decode())
    assert found
    return found[0]


def test_single_keys_are_switched_off_for_the_account_and_stay_off(client, enrolled):
    ada.sign_in(client)
    assert 'data-keys="on"' in script(client)

    page = client.post(KEYBOARD, {"single_keys": "off"}, follow=True)
    assert "Single keys are off." in words(page)
    assert 'data-keys="off"' in script(client)

    client.post("/account/logout/")
    ada.sign_in(client)
    assert 'data-keys="off"' in script(client)
    client.post(KEYBOARD, {"single_keys": "on"})
    assert 'data-keys="on"' in script(client)


@pytest.mark.parametrize(
    ("seen", "started", "left"),
    [(0, 0, 900), (600, 600, 300), (60, 12 * 3600 - 90, 90), (0, 12 * 3600 - 10, 10)],
)
def test_a_page_says_when_its_session_ends(seen, started, left):
    client = builders.staff_client()
    session = SessionStore(client.cookies["staff"].value)
    session[SEEN], session[STARTED] = time.time() - seen, time.time() - started
    session.save()
    found = re.search(r'data-ends="(\d+)"', script(client))
    assert found
    # a page that was opened more than a minute after the last one begins the idle time anew
    expected = min(900, 12 * 3600 - started) if seen >= 60 else left
    assert expected - 5 <= int(found[1]) <= expected


def test_staying_begins_the_idle_time_anew_and_never_the_whole_time():
    client = builders.staff_client()
    session = SessionStore(client.cookies["staff"].value)
    session[SEEN] = session[STARTED] = time.time() - 14 * 60
    session.save()
    assert 890 <= client.post("/account/stay/").json()["seconds"] <= 900

    session = SessionStore(client.cookies["staff"].value)
    session[STARTED] = time.time() - 12 * 3600 + 60
    session.save()
    assert 50 <= client.post("/account/stay/").json()["seconds"] <= 60
    assert client.get("/account/stay/").status_code == 405


@pytest.mark.parametrize("page", [KEYBOARD, "/account/stay/"])
def test_without_a_session_nothing_is_changed(page):
    assert (
        Client()
        .post(page, {"single_keys": "off"})
        .headers["Location"]
        .startswith("/account/login/")
    )
