"""The name at the sign-in: each spelling means the same account, and no typed name is stored."""

import re
import unicodedata
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from clinic import audit
from clinic.models import StaffSession
from clinic.people import attempts
from clinic.people.attempts import normalized
from clinic.people.sessions import SessionStore
from tests.desk import Trail
from tests.examples import examples
from tests.intake.test_canary import whole_database

pytestmark = pytest.mark.django_db
PASSWORD = "seven green bicycles at noon"
LOGIN = "/account/login/"
NAMES = ("ada", "Dr.Ørsted", "josé_ångström", "straße", "ΣίσυφοςΑΣ", "İpek", "ﬁnn", "ａｄａ２")
# The examples of a test share the accounts. The test itself deletes what else an example leaves.
a_law = tries(
    max_examples=examples(8),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)


@pytest.fixture
def people() -> dict[str, User]:
    """Accounts with exactly these names; `create_user` would normalize the names."""
    made = {}
    for name in NAMES:
        made[name] = User(username=name)
        made[name].set_password(PASSWORD)
        made[name].save()
    return made


def sign_in(name: str, word: str = PASSWORD, **more: Any) -> Any:
    return Client().post(LOGIN, {"login": name, "password": word}, **more)


def wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


@st.composite
def spellings(draw: Any, name: str) -> str:
    """Return a name as a hurried person, an old phone or a stranger may type it."""
    change = st.sampled_from([str, str.upper, str.lower, str.swapcase, str.title, wide])
    signs = "".join(draw(change)(sign) for sign in name)
    whole = draw(change)(signs)
    form = draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    blank = st.text(" \t\u00a0\u3000", max_size=3)
    return draw(blank) + unicodedata.normalize(form, whole) + draw(blank)


@given(data=st.data(), name=st.sampled_from(NAMES))
@a_law
def test_five_wrong_passwords_lock_however_the_name_is_spelled(people, data, name):
    AccessAttempt.objects.all().delete()
    cache.clear()
    trail = Trail()
    for number in range(5):
        assert sign_in(data.draw(spellings(name)), "wrong").status_code == (200, 429)[number == 4]

    assert sign_in(name).status_code == 429
    assert sign_in(data.draw(spellings(name))).status_code == 429
    assert {event.actor for event in trail.events()} == {audit.staff(people[name])}
    assert len(trail.events(action="login-fail")) == 7


@given(st.text())
@tries(max_examples=examples(200))
def test_a_name_is_as_plain_as_it_gets_and_capitals_do_not_matter(name):
    assert normalized(normalized(name)) == normalized(name)
    assert normalized(f" {name.lower()}\t") == normalized(name)


def test_two_names_alike_are_each_meant_by_their_own_spelling(people):
    """Two accounts whose names differ only in spelling may remain from an earlier release.

    These accounts were created before similar names were refused. A person signs in with the exact
    spelling. Any other spelling opens neither account.
    """
    other = User(username="ADA")
    other.set_password("another long password")
    other.save()

    assert sign_in("ada").status_code == 302
    assert sign_in("ADA", "another long password").status_code == 302
    assert sign_in("Ada").status_code == 200
    assert attempts.account("Ada") is None


def test_each_name_still_opens_as_it_was_given(people):
    for name in NAMES:
        for spelling in (name, f" {name} ", *((name.upper(),) if name.isascii() else ())):
            assert sign_in(spelling).status_code == 302, spelling


@given(data=st.data(), name=st.sampled_from(NAMES))
@a_law
def test_a_phone_that_takes_signs_apart_signs_in_too(people, data, name):
    cache.clear()
    form = data.draw(st.sampled_from(["NFC", "NFD"]))
    assert sign_in(unicodedata.normalize(form, name)).status_code == 302


def test_two_people_are_not_locked_for_each_other(people):
    for _try in range(5):
        sign_in("ADA", "wrong")

    assert sign_in("straße").status_code == 302


def test_an_address_is_no_name(people):
    User.objects.filter(username="ada").update(email="ada@example.org")
    trail = Trail()

    assert sign_in("ada@example.org").status_code == 200
    assert [event.actor for event in trail.events()] == ["anonymous"]


def test_the_right_password_forgets_the_tries_of_other_spellings(people):
    for name in ("ADA", "Ada", " ada", "ａｄａ"):
        sign_in(name, "wrong")
    assert sign_in("ada").status_code == 302

    assert not AccessAttempt.objects.exists()


def test_a_lock_is_opened_at_a_terminal_by_the_name(people, capsys):
    for name in ("ADA", "Ada", " ada", "ａｄａ", "ada"):
        sign_in(name, "wrong")
    call_command("axes_reset_username", "Ada")

    assert "1 attempts removed." in capsys.readouterr().out
    assert sign_in("ada").status_code == 302


# --- what is stored ------------------------------------------------------------------------------

CANARY = "Zyxwcanary"


@pytest.mark.parametrize("name", [f"{CANARY} my secret", f"ada {CANARY}", CANARY * 20])
def test_what_is_typed_at_the_sign_in_is_kept_nowhere(people, written_log, name):
    trail = Trail()
    for _try in range(6):
        sign_in(
            name,
            f"{CANARY} password",
            headers={"user-agent": f"{CANARY} agent", "accept": f"text/{CANARY}"},
            query_params={"next": f"/admin/{CANARY}/", CANARY: CANARY},
        )
    sign_in("ada", CANARY, query_params={"next": f"/{CANARY}"})

    assert len(trail.events(action="login-fail")) == (1 if len(name) > 150 else 7)
    assert AccessAttempt.objects.exists()
    sessions = [str(SessionStore().decode(row.session_data)) for row in StaffSession.objects.all()]
    for place in (whole_database(), written_log.getvalue(), *sessions):
        found = place.casefold()
        assert CANARY.casefold() not in found
        assert CANARY.encode().hex() not in found


def test_an_attempt_keeps_a_keyed_hash_and_the_address(people):
    sign_in("ada", "wrong")
    sign_in("straße", "wrong")
    first, second = AccessAttempt.objects.order_by("pk")

    assert re.fullmatch("[0-9a-f]{64}", first.username)
    assert first.username != second.username
    assert first.ip_address == "127.0.0.1"
    for row in (first, second):
        kept = (row.get_data, row.post_data, row.path_info, row.user_agent, row.http_accept)
        assert not any(kept)


def test_a_script_that_is_locked_out_is_not_told_the_hash(people):
    for _try in range(5):
        response = sign_in("ada", "wrong", headers={"x-requested-with": "XMLHttpRequest"})

    assert response.status_code == 429
    assert "access-control-allow-origin" not in response.headers
    assert AccessAttempt.objects.get().username not in response.content.decode()
    assert "locked for 15 minutes" in response.content.decode()


def test_what_the_version_before_kept_in_the_clear_goes_with_the_hour(people):
    """The hourly clean-up deletes the names that the previous release stored in plain text.

    A migration would run too early, because the previous release stores names until it stops.
    """
    old = {"username": CANARY, "post_data": f"login={CANARY}", "failures_since_start": 1}
    AccessAttempt.objects.create(**old, ip_address="127.0.0.1")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timezone.timedelta(minutes=16))
    sign_in("straße", "wrong")
    call_command("prune")

    assert CANARY not in whole_database()
    assert AccessAttempt.objects.count() == 1
