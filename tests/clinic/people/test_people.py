"""The administrator's list of accounts, and the auditor's trail."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client

from clinic import audit
from clinic.people.roles import ROLE_WORDS, ROLES
from tests import builders
from tests.desk import Trail, cells, find, page_of, waiting, words

PEOPLE, TRAIL = "/admin/auth/user/", "/admin/clinic/event/"
PASSWORD = "seven green bicycles at noon"

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return builders.staff_client("administrator")


@pytest.fixture
def colleague():
    return builders.member("front desk", "desk-mia")


def filled(user: User, *roles: str, **changes) -> dict:
    groups = [Group.objects.get(name=name).pk for name in roles]
    return {"username": user.username, "groups": groups, "is_active": "on", **changes}


def url(user: User, name: str = "change") -> str:
    return f"{PEOPLE}{user.pk}/{name}/"


# --- accounts -------------------------------------------------------------------------------------


def test_a_new_colleague_gets_an_account_a_role_and_then_a_password(administrator):
    trail = Trail()
    role = Group.objects.get(name="clinician")
    response = administrator.post(
        f"{PEOPLE}add/",
        {"username": "dr-new", "first_name": "Nia", "groups": [role.pk], "is_superuser": "on"},
    )
    user = User.objects.get(username="dr-new")

    assert response.headers["Location"] == url(user, "password")
    assert (user.is_staff, user.is_active, user.is_superuser) == (True, True, False)
    assert not user.has_usable_password()
    events = trail.of(response)
    assert [(event.action, event.subject) for event in events] == [
        ("create", audit.staff(user)),
        ("role", audit.staff(user)),
    ]
    assert events[1].detail == {"kind": "roles", "from": [], "to": ["clinician"]}

    short = administrator.post(
        url(user, "password"), {"new_password1": "short", "new_password2": "short"}
    )
    assert "There is a problem" in words(short)
    response = administrator.post(
        url(user, "password"), {"new_password1": PASSWORD, "new_password2": PASSWORD}
    )
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    (event,) = trail.of(response)
    assert (event.action, event.detail) == ("role", {"kind": "password"})
    assert PASSWORD not in str(trail.events())


@pytest.mark.parametrize("where", ["add", "change"])
def test_each_role_is_explained_where_it_is_given(administrator, colleague, where):
    page = administrator.get(f"{PEOPLE}add/" if where == "add" else url(colleague))

    assert set(ROLE_WORDS) == set(ROLES)
    for role, said in ROLE_WORDS.items():
        assert f"{role.capitalize()}: {said}" in words(page)


def test_a_name_that_differs_in_capitals_alone_is_refused(administrator, colleague):
    for name in ("Desk-Mia", "ｄｅｓｋ-mia"):
        page = administrator.post(f"{PEOPLE}add/", {"username": name})
        assert "There is an account desk-mia already." in words(page)
        assert not User.objects.filter(username=name).exists()
    # a new spelling of an account's own name is allowed
    response = administrator.post(url(colleague), filled(colleague, "front desk", username="Mia"))
    assert response.status_code == 302
    response = administrator.post(url(colleague), filled(colleague, "front desk", username="MIA"))
    assert response.status_code == 302


def test_a_changed_role_is_written_down_with_what_it_was(administrator, colleague):
    trail = Trail()
    response = administrator.post(url(colleague), filled(colleague, "clinician", "auditor"))

    assert {group.name for group in colleague.groups.all()} == {"auditor", "clinician"}
    (event,) = trail.of(response)
    assert event.action == "role"
    assert event.actor == audit.staff(builders.member("administrator"))
    assert event.detail == {
        "kind": "roles",
        "from": ["front desk"],
        "to": ["auditor", "clinician"],
    }


def test_closing_an_account_is_written_down_and_ends_its_session(administrator, colleague):
    theirs = builders.sign_in(Client(), colleague)
    assert theirs.get("/admin/intake/frontdesk/").status_code == 200
    trail = Trail()
    response = administrator.post(
        url(colleague), filled(colleague, "front desk", is_active="", email="mia@example.org")
    )

    (changed, closed, ended) = trail.of(response)
    assert (changed.action, changed.detail) == ("update", {"fields": ["email"]})
    assert (closed.action, closed.detail) == ("role", {"kind": "account", "to": "closed"})
    assert (ended.action, ended.detail) == ("logout", {"count": 1})
    assert theirs.get("/admin/intake/frontdesk/").status_code == 302


def test_saving_without_a_change_writes_nothing(administrator, colleague):
    trail = Trail()
    response = administrator.post(url(colleague), filled(colleague, "front desk"))

    assert response.status_code == 302
    assert trail.of(response) == []
    assert not LogEntry.objects.exists()


def test_without_its_event_there_is_no_change(administrator, colleague, monkeypatch):
    def broken(**event):
        raise OperationalError("gone")

    monkeypatch.setattr(audit, "record", broken)
    for name, data in (
        ("change", filled(colleague, "clinician")),
        ("password", {"new_password1": PASSWORD, "new_password2": PASSWORD}),
        ("factor", {}),
    ):
        assert administrator.post(url(colleague, name), data).status_code == 503
    fresh = User.objects.get(pk=colleague.pk)
    assert [group.name for group in fresh.groups.all()] == ["front desk"]
    assert not fresh.check_password(PASSWORD)


def test_nobody_changes_their_own_account(administrator):
    me = builders.member("administrator")
    page = administrator.get(url(me))

    assert page.status_code == 200
    assert "You cannot change this account" in words(page)
    assert 'name="groups"' not in page.content.decode()
    assert administrator.post(url(me), filled(me, "clinician")).status_code == 403
    for name in ("password", "factor"):
        assert administrator.post(url(me, name)).status_code == 403
    assert [group.name for group in me.groups.all()] == ["administrator"]


def test_nobody_touches_a_superuser_and_nobody_becomes_one(administrator, colleague):
    root = User.objects.create_superuser("root", password=PASSWORD)
    for name in ("change", "password", "factor"):
        assert administrator.post(url(root, name)).status_code == 403
    body = administrator.get(url(colleague)).content.decode()
    assert "is_superuser" not in body
    assert "user_permissions" not in body
    assert "is_staff" not in body
    administrator.post(
        url(colleague),
        filled(colleague, "front desk", is_superuser="on", user_permissions=["1"]),
    )
    fresh = User.objects.get(pk=colleague.pk)
    assert not fresh.is_superuser
    assert not fresh.user_permissions.exists()


def test_groups_and_seeds_have_no_page(administrator):
    for path in ("auth/group/", "mfa/authenticator/", "axes/accessattempt/", "admin/logentry/"):
        assert administrator.get(f"/admin/{path}").status_code == 404


def test_a_lost_phone(administrator, colleague):
    TOTP.activate(colleague, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert administrator.get(url(colleague, "factor")).status_code == 302
    assert Authenticator.objects.filter(user=colleague).exists()
    trail = Trail()
    response = administrator.post(url(colleague, "factor"))

    assert not Authenticator.objects.filter(user=colleague).exists()
    (event,) = trail.of(response)
    assert (event.action, event.subject) == ("mfa", audit.staff(colleague))
    assert event.detail == {"step": "reset"}


def test_the_list_of_people_says_role_and_factor(administrator, colleague):
    page = administrator.get(PEOPLE)

    assert cells(page, "roles") == ["administrator", "front desk"]
    assert words(page).startswith("People | ")
    assert cells(administrator.get(PEOPLE, {"account": "closed"}), "username") == []
    assert administrator.get(f"{PEOPLE}?password__startswith=m").status_code == 400
    assert administrator.get(f"{PEOPLE}{colleague.pk}999/factor/").status_code == 404


# --- the trail ------------------------------------------------------------------------------------


@pytest.fixture
def auditor():
    return builders.staff_client("auditor")


def test_the_trail_shows_who_did_what_and_no_patient(auditor):
    submission = waiting("Quentin Canary")
    builders.staff_client("clinician").get(page_of(submission))
    page = auditor.get(TRAIL)

    assert "clinician (staff:" in cells(page, "who")[0]
    assert cells(page, "action")[0] == "read"
    assert cells(page, "subject")[0] == str(submission.pk)
    assert "Canary" not in page.content.decode()


def test_looking_at_the_trail_leaves_its_own_trace(auditor):
    trail = Trail()
    page = auditor.get(TRAIL)

    (event,) = trail.of(page)
    assert (event.action, event.detail["page"]) == ("list", "event")


def test_the_trail_is_searched_by_the_whole_of_an_id(auditor):
    submission = waiting()
    page = builders.staff_client("clinician").get(page_of(submission))
    user = builders.member("clinician")

    def subjects(term):
        return cells(find(auditor, TRAIL, term), "subject")

    assert set(subjects(str(submission.pk))) == {str(submission.pk)}
    assert subjects(page["X-Request-ID"]) == [str(submission.pk)]
    assert str(submission.pk) in subjects("clinician")
    assert str(submission.pk) in subjects(audit.staff(user))
    assert subjects(f"patient:{submission.reference}") == [str(submission.pk)]
    assert subjects(submission.reference.lower()) == [str(submission.pk)]
    assert subjects(str(submission.pk)[:-1]) == []


def test_the_trail_filters_by_action_and_time_and_nothing_else(auditor):
    builders.staff_client("clinician").get(page_of(waiting()))

    assert set(cells(auditor.get(TRAIL, {"action": "read"}), "action")) == {"read"}
    assert cells(auditor.get(TRAIL, {"days": "1", "action": "erase"}), "action") == []
    assert auditor.get(TRAIL, {"action": "x", "days": "x"}).status_code == 200
    for oracle in ("detail__contains=x", "hash__gt=1", "actor__startswith=s", "action__gt=a"):
        assert auditor.get(f"{TRAIL}?{oracle}").status_code == 400


def test_the_trail_cannot_be_changed_here(auditor):
    builders.staff_client("clinician").get(page_of(waiting()))
    number = audit.head()[0]

    assert auditor.post(f"{TRAIL}{number}/change/", {"actor": "x"}).status_code == 302
    assert auditor.post(f"{TRAIL}{number}/delete/", {"post": "yes"}).status_code == 403
    assert auditor.post(f"{TRAIL}add/", {"actor": "x"}).status_code == 403
    assert audit.verify() == []


def test_without_its_own_event_the_trail_stays_shut(auditor, monkeypatch):
    def broken(**event):
        raise OperationalError("gone")

    monkeypatch.setattr(audit, "record", broken)

    assert auditor.get(TRAIL).status_code == 503
