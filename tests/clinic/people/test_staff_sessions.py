"""Sessions of staff: when a session gets a new key, and when it ends.

Each sign-in and each repeated proof of the second factor gives the session a new key. A session
ends after 15 idle minutes, and after 12 hours.
"""

import time

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from clinic import audit
from clinic.ids import uuid7
from clinic.models import StaffSession
from clinic.people import sign_in as staff
from clinic.people.sessions import SessionStore, stored_key
from tests.clinic.people.ada import (
    AUTHENTICATE,
    COOKIE,
    LOGIN,
    REAUTHENTICATE,
    actions,
    code,
    password,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("start")]


def test_the_tables_key_is_no_cookie(client, enrolled):
    sign_in(client)
    (row,) = StaffSession.objects.all()

    assert row.session_key == stored_key(client.cookies[COOKIE].value)
    thief = Client()
    thief.cookies[COOKIE] = row.session_key
    assert thief.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 200


def test_signing_out_ends_the_session_on_the_server(client, enrolled):
    sign_in(client)
    copy = Client()
    copy.cookies[COOKIE] = client.cookies[COOKIE].value
    assert copy.get("/admin/").status_code == 200

    assert client.get("/account/logout/").status_code == 200  # a link does not end the session
    assert copy.get("/admin/").status_code == 200
    response = client.post("/account/logout/")

    assert response.headers["Location"] == LOGIN
    assert "messages" not in client.cookies
    assert copy.get("/admin/").status_code == 302
    assert not StaffSession.objects.exists()


def test_the_admins_own_way_out_is_the_same(client, enrolled, start):
    sign_in(client)

    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/").headers["Location"] == LOGIN
    assert not StaffSession.objects.exists()
    assert actions(start)[-1] == (audit.staff(enrolled), "logout")


def test_each_sign_in_and_each_proof_gets_a_new_key(client, enrolled):
    client.get(LOGIN)
    password(client)
    before = client.cookies[COOKIE].value
    client.post(AUTHENTICATE, {"code": code()})
    signed_in = client.cookies[COOKIE].value
    cache.clear()
    client.post(REAUTHENTICATE, {"code": code()})
    proved = client.cookies[COOKIE].value

    assert len({before, signed_in, proved}) == 3
    old = Client()
    for key in (before, signed_in):
        old.cookies[COOKIE] = key
        assert old.get("/admin/").status_code == 302


def test_the_same_person_signing_in_again_gets_a_new_key(rf, enrolled):
    request = rf.post(LOGIN)
    request.session = SessionStore()
    adapter = staff.AccountAdapter(request)
    adapter.login(request, enrolled)
    first = request.session.session_key
    adapter.login(request, enrolled)

    assert request.session.session_key != first
    assert not SessionStore().exists(first)


def shift(client: Client, **seconds: float) -> None:
    """Set back times in the stored session: `staff_seen=60` sets that time back a minute."""
    session = SessionStore(client.cookies[COOKIE].value)
    for name, by in seconds.items():
        session[name] -= by
    session.save()


@pytest.mark.parametrize(
    ("idle", "whole", "status"),
    [(14 * 60, 0, 200), (16 * 60, 0, 302), (0, 11.9 * 3600, 200), (0, 12.1 * 3600, 302)],
)
def test_a_session_ends_after_15_idle_minutes_and_after_12_hours(
    client, enrolled, idle, whole, status
):
    sign_in(client)
    shift(client, staff_seen=idle, staff_started=whole)

    response = client.get("/admin/auth/user/")

    assert response.status_code == status
    if status == 302:
        assert response.headers["Location"] == f"{LOGIN}?next=/admin/auth/user/"
        assert not StaffSession.objects.exists()
        assert client.get("/admin/").status_code == 302


def test_a_session_that_the_table_let_expire_is_over(client, enrolled):
    sign_in(client)
    StaffSession.objects.update(expire_date="2020-01-01T00:00:00Z")

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("over", ["idle", "expired"])
def test_what_was_typed_when_the_session_ended_can_be_copied(client, enrolled, over):
    sign_in(client)
    if over == "idle":
        shift(client, staff_seen=16 * 60)
    else:
        StaffSession.objects.update(expire_date="2020-01-01T00:00:00Z")
    page = f"/admin/intake/submission/{uuid7()}/decide/"
    typed = {"note": "Called at noon & <b>left word</b>", "new_password1": "of four plain words"}

    response = client.post(page, typed | {"urgency": "3"})

    html = response.content.decode()
    assert response.status_code == 403
    assert "Called at noon &amp; &lt;b&gt;left word&lt;/b&gt;" in html
    assert "plain words" not in html
    assert LOGIN in html
    assert response["Cache-Control"] == "no-store"
    assert client.post(page, {"urgency": "3"}).status_code == 302
    sign_in(client)
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_visit_is_noted_once_a_minute_and_not_more(client, enrolled):
    sign_in(client)
    client.get("/account/2fa/")
    before = StaffSession.objects.get().session_data
    client.get("/account/2fa/")
    assert StaffSession.objects.get().session_data == before

    shift(client, staff_seen=61)
    client.get("/account/2fa/")
    assert SessionStore(client.cookies[COOKIE].value)["staff_seen"] > time.time() - 5


def test_a_closed_account_is_out_at_once(client, enrolled):
    sign_in(client)
    User.objects.update(is_active=False)

    assert client.get("/admin/").status_code == 302


def test_a_visitor_costs_no_query_and_a_public_page_no_session(
    client, enrolled, django_assert_num_queries
):
    with django_assert_num_queries(0):
        client.get("/")
    sign_in(client)
    with django_assert_num_queries(0):
        client.get("/")


def test_sessions_know_no_async_way():
    # driven by hand, because a browser of another test may keep an event loop in this process
    with pytest.raises(NotImplementedError):
        SessionStore("k" * 32).aload().send(None)
