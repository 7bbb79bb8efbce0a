"""A colleague's sessions end when the password, second factor, roles or account change."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from clinic import audit
from clinic.models import StaffSession
from clinic.people import sessions
from clinic.people.sessions import SessionStore
from tests import builders
from tests.desk import Trail, words

PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, AUTHENTICATE = "/account/login/", "/account/2fa/authenticate/"
DESK = "/admin/intake/frontdesk/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Client:
    return builders.staff_client("administrator")


@pytest.fixture
def mia() -> User:
    user = builders.member("front desk", "desk-mia")
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    return user


def half_way(user: User) -> Client:
    """Return a browser that has sent the right password, but not yet the code."""
    client = Client()
    response = client.post(LOGIN, {"login": user.username, "password": PASSWORD})
    assert response.headers["Location"] == AUTHENTICATE
    return client


def change(user: User, *roles: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    groups = [Group.objects.get(name=name).pk for name in roles]
    kept = {"username": user.username, "groups": groups, "is_active": "on"}
    return f"/admin/auth/user/{user.pk}/change/", kept | fields


NEW = "eight purple tractors at dawn"
ACTS = {
    "a role is added": lambda mia: change(mia, "front desk", "duty"),
    "a role is taken": lambda mia: change(mia),
    "a role is changed": lambda mia: change(mia, "auditor"),
    "the account is closed": lambda mia: change(mia, "front desk", is_active=""),
    "a password is set": lambda mia: (
        f"/admin/auth/user/{mia.pk}/password/",
        {"new_password1": NEW, "new_password2": NEW},
    ),
    "the factor is reset": lambda mia: (f"/admin/auth/user/{mia.pk}/factor/", {}),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_it_ends_all_of_that_persons_sessions_at_once_and_says_so(administrator, mia, act):
    other = builders.member("clinician")
    mine = [builders.sign_in(Client(), mia), builders.sign_in(Client(), mia), half_way(mia)]
    theirs = builders.sign_in(Client(), other)
    code = builders.totp(SECRET)
    assert StaffSession.objects.filter(account=mia).count() == 3
    trail = Trail()

    page = administrator.post(*act(mia), follow=True)

    assert not StaffSession.objects.filter(account=mia).exists()
    assert "3 sessions of desk-mia have ended." in words(page)
    for browser in mine:
        assert browser.get(DESK).headers["Location"].startswith(("/admin/login/", LOGIN))
        # an ended session cannot be reopened with a code
        assert browser.post(AUTHENTICATE, {"code": code}).headers["Location"] == LOGIN
        assert browser.post("/account/2fa/reauthenticate/", {"code": code}).status_code == 302
        assert browser.get(DESK).status_code == 302
    assert theirs.get("/admin/intake/submission/").status_code == 200
    assert administrator.get("/admin/auth/user/").status_code == 200
    [event] = trail.events(action="logout")
    assert event.actor == audit.staff(builders.member("administrator"))
    assert (event.subject, event.detail) == (audit.staff(mia), {"count": 3})


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_without_the_event_of_it_the_sessions_stay(administrator, mia, act, monkeypatch):
    theirs = builders.sign_in(Client(), mia)
    plain = audit.record

    def broken(*, action: str, **event: Any) -> None:
        if action == "logout":
            raise OperationalError("gone")
        plain(action=action, **event)

    monkeypatch.setattr(audit, "record", broken)

    assert administrator.post(*act(mia)).status_code == 503
    assert theirs.get(DESK).status_code == 200
    fresh = User.objects.get(pk=mia.pk)
    assert fresh.is_active
    assert fresh.check_password(PASSWORD)
    assert [group.name for group in fresh.groups.all()] == ["front desk"]
    assert Authenticator.objects.filter(user=mia).count() == 2


def test_a_name_or_address_that_is_changed_ends_nothing(administrator, mia):
    theirs = builders.sign_in(Client(), mia)
    trail = Trail()
    administrator.post(*change(mia, "front desk", first_name="Mia", email="mia@example.org"))

    assert theirs.get(DESK).status_code == 200
    assert trail.events(action="logout") == []


def test_who_is_nowhere_signed_in_leaves_no_event_of_it(administrator, mia):
    trail = Trail()
    administrator.post(*ACTS["the factor is reset"](mia))

    assert trail.events(action="logout") == []


def test_one_who_was_signed_out_has_what_they_typed(administrator, mia):
    theirs = builders.sign_in(Client(), mia)
    administrator.post(*ACTS["a role is added"](mia))

    page = theirs.post(f"{DESK}x/note/", {"note": "Called at noon, nobody there"})

    assert page.status_code == 403
    assert "Called at noon, nobody there" in words(page)


# --- what people do to their own account ---------------------------------------------------------


def own_password(browser: Client) -> Any:
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    return browser.post("/account/password/change/", typed)


def factor_off(browser: Client) -> Any:
    return browser.post("/account/2fa/totp/deactivate/")


def new_recovery_codes(browser: Client) -> Any:
    return browser.post("/account/2fa/recovery-codes/generate/")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [own_password, factor_off, new_recovery_codes])
def test_ones_own_change_ends_ones_other_sessions(mia, act):
    here, there, half = (
        builders.sign_in(Client(), mia),
        builders.sign_in(Client(), mia),
        half_way(mia),
    )
    trail = Trail()

    assert act(here).status_code == 302

    assert there.get(DESK).headers["Location"].startswith("/admin/login/")
    assert half.post(AUTHENTICATE, {"code": builders.totp(SECRET)}).headers["Location"] == LOGIN
    assert here.get("/account/logout/").status_code == 200
    assert StaffSession.objects.filter(account=mia).count() == 1
    [event] = trail.events(action="logout")
    assert (event.actor, event.subject) == (audit.staff(mia), audit.staff(mia))
    assert event.detail == {"count": 2}


# --- rows ----------------------------------------------------------------------------------------


def test_a_session_knows_its_account_from_the_password_on(mia):
    visitor = Client()
    visitor.get(LOGIN)
    half_way(mia)
    assert [row.account for row in StaffSession.objects.all()] == [mia]

    client = half_way(mia)
    client.post(AUTHENTICATE, {"code": builders.totp(SECRET)})
    assert {row.account for row in StaffSession.objects.all()} == {mia}
    client.post("/account/logout/")
    assert StaffSession.objects.count() == 1


def test_a_request_under_way_does_not_bring_an_ended_session_back(mia):
    client = builders.sign_in(Client(), mia)
    under_way = SessionStore(client.cookies["staff"].value)
    assert under_way["_auth_user_id"] == str(mia.pk)

    assert sessions.end(mia) == 1
    under_way["seen"] = "now"
    with pytest.raises(UpdateError):
        under_way.save()
    with pytest.raises(SessionInterrupted):
        under_way.cycle_key()
    assert not StaffSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nor_does_one_that_gets_its_new_key_at_the_same_moment(mia):
    for _round in range(12):
        client = builders.sign_in(Client(), mia)
        under_way = SessionStore(client.cookies["staff"].value)
        assert under_way["_auth_user_id"] == str(mia.pk)
        both = Barrier(2)

        def renew(store: SessionStore = under_way, both: Barrier = both) -> None:
            both.wait()
            with suppress(SessionInterrupted):
                store.cycle_key()
            connection.close()

        def end(both: Barrier = both) -> None:
            both.wait()
            sessions.end(mia)
            connection.close()

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(renew), pool.submit(end)]:
                done.result()
        assert not StaffSession.objects.exists()


def test_ending_costs_the_same_however_many_there_are(mia, django_assert_num_queries):
    for count in (1, 5):
        for _session in range(count):
            builders.sign_in(Client(), mia)
        with django_assert_num_queries(4):
            assert sessions.end(mia) == count


def test_what_has_expired_goes_with_the_hour(mia):
    builders.sign_in(Client(), mia)
    StaffSession.objects.update(expire_date="2020-01-01T00:00:00Z")
    builders.sign_in(Client(), mia)
    call_command("prune")

    assert StaffSession.objects.count() == 1


def test_the_numbers_of_questions_of_a_sign_in(mia, django_assert_max_num_queries):
    client = Client()
    with django_assert_max_num_queries(20):
        client.post(LOGIN, {"login": "desk-mia", "password": "wrong"})
    with django_assert_max_num_queries(13):
        client.post(LOGIN, {"login": "desk-mia", "password": PASSWORD})
    with django_assert_max_num_queries(55):
        client.post(AUTHENTICATE, {"code": builders.totp(SECRET)})
    # one of them asks which links of the header the account may open
    with django_assert_max_num_queries(5):
        client.get("/account/2fa/")


def test_the_table_tells_which_account_and_no_cookie(mia):
    client = builders.sign_in(Client(), mia)
    row = StaffSession.objects.get()

    assert re.fullmatch("[0-9a-f]{40}", row.session_key)
    assert client.cookies["staff"].value not in f"{row.session_key} {row.session_data}"
