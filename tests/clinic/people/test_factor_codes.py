"""Codes of the authenticator app: clocks may differ by half a minute, and a code works once."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from tests import builders
from tests.examples import examples

pytestmark = pytest.mark.django_db
PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, AUTHENTICATE = "/account/login/", "/account/2fa/authenticate/"
ENROL, REAUTHENTICATE = "/account/2fa/totp/activate/", "/account/2fa/reauthenticate/"


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def enrolled(ada: User) -> User:
    TOTP.activate(ada, SECRET)
    return ada


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Any:
    """Stop the clock in the middle of a half minute.

    Returns a function that moves the clock by a number of half minutes.
    """
    now = [time.time() // 30 * 30 + 15]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def move(steps: float) -> None:
        now[0] += steps * 30

    return move


def asked_for_a_code() -> Client:
    client = Client()
    client.post(LOGIN, {"login": "ada", "password": PASSWORD})
    return client


def opens(client: Client, code: str, where: str = AUTHENTICATE) -> bool:
    return client.post(where, {"code": code}).status_code == 302


@pytest.mark.parametrize(
    ("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_phone_half_a_minute_slow_or_fast_still_signs_in(enrolled, steps, right):
    client = asked_for_a_code()

    assert opens(client, builders.totp(SECRET, steps)) is right
    assert (client.get("/admin/").status_code == 200) is right


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_it_enrols(ada, steps, right):
    client = asked_for_a_code()
    secret = client.get(ENROL).context["form"].secret

    assert opens(client, builders.totp(secret, steps), ENROL) is right


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_it_proves_itself_again(enrolled, steps, right):
    client = builders.sign_in(Client(), enrolled)

    assert opens(client, builders.totp(SECRET, steps), REAUTHENTICATE) is right


@pytest.mark.parametrize("later", range(4))
@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_opens_the_door_once_as_long_as_it_could(enrolled, clock, steps, later):
    first, second = asked_for_a_code(), asked_for_a_code()
    code = builders.totp(SECRET, steps)
    assert opens(first, code)

    clock(later)
    for typed in (code, f"{code[:3]} {code[3:]}", f" {code}", f"{code[:3]}-{code[3:]}"):
        assert not opens(second, typed)
    assert second.get("/admin/").status_code == 302


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), min_size=2, max_size=6))
@tries(
    max_examples=examples(8),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_whatever_comes_in_whatever_order_no_code_opens_twice(enrolled, clock, tried):
    cache.clear()
    opened = []
    for pause, steps in tried:
        clock(pause)
        code = builders.totp(SECRET, steps)
        client = asked_for_a_code()
        if opens(client, code):
            opened.append(code)
            assert abs(steps) <= 1

    assert len(opened) == len(set(opened))


def test_the_code_that_enrolled_opens_nothing_more(ada, clock):
    client = asked_for_a_code()
    secret = client.get(ENROL).context["form"].secret
    code = builders.totp(secret)
    assert opens(client, code, ENROL)

    other = asked_for_a_code()
    for _half_minute in range(3):
        assert not opens(other, code)
        assert not opens(client, code, REAUTHENTICATE)
        clock(1)


@pytest.mark.django_db(transaction=True)
def test_who_just_enrolled_has_shown_both_in_that_session_alone(ada):
    stale, client = asked_for_a_code(), asked_for_a_code()
    secret = client.get(ENROL).context["form"].secret
    assert opens(client, builders.totp(secret), ENROL)

    assert client.get("/admin/").status_code == 200
    assert stale.get("/admin/").headers["Location"].startswith(REAUTHENTICATE)


def test_a_code_that_was_used_counts_as_a_wrong_one(enrolled):
    code = builders.totp(SECRET)
    assert opens(asked_for_a_code(), code)
    client = asked_for_a_code()
    for _try in range(5):
        page = client.post(AUTHENTICATE, {"code": code})
        assert "wait for the next one" in page.content.decode()

    response = client.post(AUTHENTICATE, {"code": builders.totp(SECRET, 1)})
    assert b"Too many failed login attempts" in response.content
