"""The sign-in of staff: two factors, limits, sessions that end, and the audit trail."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client

from clinic import audit
from clinic.people import sign_in as staff
from tests.clinic.people.ada import (
    AUTHENTICATE,
    CODES,
    COOKIE,
    ENROL,
    LOGIN,
    PASSWORD,
    REAUTHENTICATE,
    SECRET,
    actions,
    code,
    events,
    password,
    sign_in,
)
from tests.trail import unchained

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("start")]


# --- signing in ----------------------------------------------------------------------------------


def test_strangers_are_sent_to_our_sign_in(client):
    response = client.get("/admin/", follow=True)

    assert response.request["PATH_INFO"] == LOGIN
    assert b"Staff sign-in" in response.content
    assert client.get("/admin/login/").headers["Location"].startswith(LOGIN)
    # a post to this address does not reach the admin's own sign-in form either
    posted = client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    assert posted.headers["Location"].startswith(LOGIN)


@pytest.mark.parametrize("where", ["/admin/", "/admin/auth/user/", "/account/2fa/", CODES])
def test_a_password_alone_leads_to_enrolling_and_nowhere_else(client, user, where):
    assert password(client).status_code == 302

    assert client.get(where).headers["Location"] == ENROL
    assert client.post(where).headers["Location"] == ENROL


@pytest.mark.django_db(transaction=True)
def test_enrolling_then_the_recovery_codes(client, user, start):
    password(client)
    page = client.get(ENROL)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.content.decode())[1]
    assert b"<svg" in page.content
    assert b"data:" not in page.content
    assert b"<?xml" not in page.content
    assert b"style=" not in page.content

    wrong = client.post(ENROL, {"code": "000000"})
    assert b"Incorrect code" in wrong.content
    # after a wrong code the page shows the same secret, which may already be in the phone
    assert secret.encode() in wrong.content
    before = client.cookies[COOKIE].value
    response = client.post(ENROL, {"code": code(secret)}, follow=True)

    # the code has proved the app, so no code is asked for again; the session has a new key
    assert response.redirect_chain == [(CODES, 302)]
    assert client.cookies[COOKIE].value != before
    assert len(re.findall(r"<li><code>", response.content.decode())) == 10
    assert client.get("/admin/").status_code == 200
    again = client.get(CODES)
    assert b"<li><code>" not in again.content
    assert (f"staff:{user.pk}", "mfa") in actions(start)


def test_a_key_that_was_just_enrolled_is_not_asked_for_again(client, user, monkeypatch):
    monkeypatch.setattr(webauthn, "parse_registration_response", lambda credential: None)
    monkeypatch.setattr(webauthn, "complete_registration", lambda credential: None)
    password(client)

    added = {"name": "My key", "credential": '{"id": "a key"}'}
    response = client.post("/account/2fa/webauthn/add/", added, follow=True)

    assert response.redirect_chain == [(CODES, 302)]
    assert len(re.findall(r"<li><code>", response.content.decode())) == 10
    assert client.get("/admin/").status_code == 200


def test_who_is_enrolled_is_asked_for_a_code_before_being_signed_in(client, enrolled):
    assert password(client).headers["Location"] == AUTHENTICATE

    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert b"six digits" in client.get(AUTHENTICATE).content
    assert client.post(AUTHENTICATE, {"code": code()}).status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("typed", ["", "000000", "abcdef", "0" * 500])
def test_a_wrong_code_opens_nothing(client, enrolled, typed):
    password(client)

    assert client.post(AUTHENTICATE, {"code": typed}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_a_code_opens_the_door_once(enrolled):
    first, second, third = Client(), Client(), Client()
    for browser in (first, second, third):
        password(browser)
    now = code()

    assert first.post(AUTHENTICATE, {"code": now}).status_code == 302
    for browser in (second, third):
        assert browser.post(AUTHENTICATE, {"code": now}).status_code == 200
        assert browser.get("/admin/").status_code == 302


def test_a_recovery_code_opens_the_door_once(enrolled):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    first, second = Client(), Client()
    for browser in (first, second):
        password(browser)

    assert first.post(AUTHENTICATE, {"code": codes[0]}).status_code == 302
    assert first.get("/admin/").status_code == 200
    assert second.post(AUTHENTICATE, {"code": codes[0]}).status_code == 200


def test_five_wrong_codes_close_the_second_door_for_a_while(client, enrolled):
    password(client)
    for _try in range(5):
        client.post(AUTHENTICATE, {"code": "000000"})

    response = client.post(AUTHENTICATE, {"code": code()})
    assert b"Too many failed login attempts" in response.content
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "where",
    ["/account/2fa/", CODES, "/account/2fa/totp/deactivate/", "/account/password/change/"],
)
def test_a_password_session_from_before_enrolling_cannot_touch_the_factor(client, user, where):
    password(client)
    TOTP.activate(user, SECRET)

    assert client.get(where).headers["Location"].startswith(REAUTHENTICATE)
    # typing the password again does not help
    response = client.get("/account/reauthenticate/")
    assert response.headers["Location"].startswith(REAUTHENTICATE)


def test_nobody_signs_up(client):
    assert b"Accounts are made by an administrator" in client.get("/account/signup/").content
    client.post("/account/signup/", {"username": "eve", "password1": PASSWORD})

    assert not User.objects.exists()


# --- limits --------------------------------------------------------------------------------------


def test_the_fifth_wrong_password_locks_and_says_so(client, enrolled):
    for _try in range(4):
        assert password(client, word="wrong").status_code == 200
    fifth = password(client, word="wrong")
    right = password(client)

    assert (fifth.status_code, right.status_code) == (429, 429)
    assert b"locked for 15 minutes" in fifth.content
    assert b"locked for 15 minutes" in right.content
    assert b"wrong" not in fifth.content.replace(b"a wrong password", b"")
    assert client.get("/admin/").status_code == 302


def test_the_limit_goes_by_the_address_our_proxy_saw(rf, settings):
    request = rf.get("/", headers={"x-forwarded-for": "1.2.3.4, 198.51.100.7"})
    assert staff.client_address(request) == "127.0.0.1"

    settings.TRUSTED_PROXIES = 1
    assert staff.client_address(request) == "198.51.100.7"
    settings.TRUSTED_PROXIES = 0
    assert staff.client_address(rf.get("/", REMOTE_ADDR="2001:db8::77")) == "2001:db8::"
    assert staff.client_address(rf.get("/", REMOTE_ADDR="")) is None


def test_who_is_there_is_not_told(client, enrolled):
    known, unknown = password(client, word="wrong"), password(client, "nobody", "wrong")

    def text(response):
        page = re.sub(r'value="\w{64}"', "", response.content.decode())
        return page.replace("ada", "-").replace("nobody", "-")

    assert known.status_code == unknown.status_code == 200
    assert text(known) == text(unknown)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "\\\\evil.example"])
def test_next_stays_on_this_site(client, enrolled, target):
    password(client, next=target)
    response = client.post(AUTHENTICATE, {"code": code()})

    assert response.headers["Location"] == "/admin/"


# --- what is stored and recorded -----------------------------------------------------------------


def test_seeds_of_codes_are_sealed(enrolled):
    for row in Authenticator.objects.all():
        assert SECRET not in str(row.data)
    assert decrypt(Authenticator.objects.get(type="totp").data["secret"]) == SECRET


def test_the_audit_trail_says_who_came_and_who_failed(client, enrolled, start):
    who = audit.staff(enrolled)
    password(client, word="wrong")
    password(client, "nobody", "wrong")
    password(client)
    client.post(AUTHENTICATE, {"code": "000000"})
    client.post(AUTHENTICATE, {"code": code()})
    client.post("/account/logout/")

    assert actions(start) == [
        (who, "login-fail"),
        ("anonymous", "login-fail"),
        (who, "login-fail"),
        (who, "login"),
        (who, "logout"),
    ]
    assert all(len(event.request_id) == 32 for event in events(start))
    assert "wrong" not in str(list(events(start).values_list("detail", flat=True)))
    assert audit.verify() == []


def test_without_an_audit_event_there_is_no_sign_in(client, enrolled, monkeypatch):
    def broken(**event):
        raise DatabaseError("no room")

    password(client)
    monkeypatch.setattr(audit, "record", broken)
    client.raise_request_exception = False

    assert client.post(AUTHENTICATE, {"code": code()}).status_code in (500, 503)
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_nor_when_its_event_is_lost_at_the_commit(client, enrolled):
    password(client)
    with unchained():
        assert client.post(AUTHENTICATE, {"code": code()}).status_code == 503
    assert client.get("/admin/").status_code == 302

    sign_in(client)
    with unchained():
        assert client.post("/account/logout/").status_code == 503
    assert client.get("/admin/", follow=True).status_code == 200


# --- the pages of the account --------------------------------------------------------------------

PAGES = [
    "/account/2fa/",
    "/account/2fa/webauthn/",
    "/account/2fa/webauthn/add/",
    "/account/2fa/totp/deactivate/",
    "/account/2fa/recovery-codes/generate/",
    "/account/2fa/reauthenticate/",
    "/account/password/change/",
    "/account/logout/",
]


@pytest.mark.parametrize("where", PAGES)
def test_pages_of_the_account_render_with_nothing_inline(client, enrolled, where):
    sign_in(client)
    response = client.get(where)
    text = response.content.decode()

    assert response.status_code == 200
    # the header of all staff pages says where one is
    assert re.search(r'<a href="/account/2fa/" aria-current="page">Your account</a>', text)
    assert "| Your account |" in text
    assert " style=" not in text
    assert "<style" not in text
    for script in re.findall(r"<script([^>]*)>", text):
        assert "src=" in script or 'type="application/json"' in script


def test_a_password_is_changed_in_one_place_and_audited(client, enrolled, start):
    sign_in(client)
    assert client.get("/admin/password_change/").headers["Location"] == "/account/password/change/"

    new = "eight purple tractors at dawn"
    typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/account/password/change/", typed).status_code == 302
    enrolled.refresh_from_db()
    assert enrolled.check_password(new)
    assert actions(start)[-1] == (audit.staff(enrolled), "update")
