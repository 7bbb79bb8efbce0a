"""Who is on leave, or has not signed in for long, gives the open work back to the worklist."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from clinic import sweeps
from clinic.outgoing import outbox
from intake.models.rota import Leave, OnCall
from intake.models.submissions import StatusChange, Submission, Urgency
from intake.staff import leaving
from tests import builders
from tests.desk import Trail, cells, waiting, words

pytestmark = pytest.mark.django_db
LEAVES = "/admin/intake/leave/"


@pytest.fixture
def ada() -> User:
    return builders.member("clinician", "ada")


@pytest.fixture
def browser(ada):
    return builders.staff_client("clinician", "ada")


def of(user: User, **fields) -> Submission:
    return waiting(assignee=user, **{"status": "in_review", **fields})


def days(first: int, last: int, **more) -> dict[str, object]:
    today = timezone.localdate()
    return {
        "first_day": (today + timedelta(days=first)).isoformat(),
        "last_day": (today + timedelta(days=last)).isoformat(),
        **more,
    }


def pass_days(monkeypatch, count: int) -> None:
    later = timezone.now() + timedelta(days=count)
    monkeypatch.setattr(timezone, "now", lambda: later)


def is_given_back(row: Submission) -> bool:
    return Submission.objects.get(pk=row.pk).assignee is None


# --- leave ----------------------------------------------------------------------------------------


def test_a_leave_from_today_gives_the_work_back_and_says_how_much(browser, ada):
    rows = [of(ada, urgency=Urgency.SAME_DAY), of(ada, status="waiting"), of(ada)]
    decided, colleagues = of(ada, status="decided"), of(builders.member("duty"))
    begin = timezone.now() + timedelta(days=1)
    OnCall(person=ada, starts_at=begin, ends_at=begin + timedelta(hours=9)).save()
    trail = Trail()
    said = words(browser.post(f"{LEAVES}add/", days(0, 5), follow=True))

    assert (
        "Given back: 3 submissions of the worklist (Same day: 1, Routine: 2); being on call" in said
    )
    assert "at 1 time of these days: name another person then." in said
    for row in rows:
        assert is_given_back(row)
        step = StatusChange.objects.get(submission=row, action="release")
        assert step.by == ada
        (event,) = trail.events(subject=str(row.pk))
        assert (event.action, event.detail, event.actor) == (
            "assign",
            {"to": None},
            f"staff:{ada.pk}",
        )
    assert not is_given_back(decided)
    assert not is_given_back(colleagues)
    (event,) = trail.events(subject=f"staff:{ada.pk}")
    assert (event.action, event.detail) == ("create", {"kind": "leave"})
    assert Leave.objects.get().person == ada


def test_a_leave_to_come_says_what_will_go_back_and_the_sweep_gives_it_back_once(
    browser, ada, monkeypatch
):
    row = of(ada)
    said = words(browser.post(f"{LEAVES}add/", days(3, 9), follow=True))
    assert "When the leave begins, this goes back, if it still waits: 1 submission" in said
    assert leaving.begin_leaves() == 0
    assert not is_given_back(row)

    pass_days(monkeypatch, 3)
    trail = Trail()
    assert leaving.begin_leaves in sweeps._chores
    assert [leaving.begin_leaves(), leaving.begin_leaves()] == [1, 0]
    assert is_given_back(row)
    (event,) = trail.events(subject=str(row.pk))
    assert (event.actor, event.action) == ("system:leave", "assign")
    assert StatusChange.objects.get(submission=row, action="release").by is None
    mine = of(ada)  # who takes a submission during the leave works on it
    assert leaving.begin_leaves() == 0
    assert not is_given_back(mine)


def test_each_person_sees_and_sets_the_own_leave_and_an_administrator_all(browser, ada):
    other, boss = builders.member("duty"), builders.staff_client("administrator")
    row = of(other)
    boss.post(f"{LEAVES}add/", days(0, 2, person=other.pk))
    browser.post(f"{LEAVES}add/", days(0, 2, person=other.pk))
    assert {leave.person for leave in Leave.objects.all()} == {other, ada}
    assert is_given_back(row)
    assert cells(browser.get(LEAVES), "who") == ["ada"]
    assert sorted(cells(boss.get(LEAVES), "who")) == ["ada", "duty"]
    theirs = Leave.objects.get(person=other)
    for page in ("change", "delete"):
        browser.post(f"{LEAVES}{theirs.pk}/{page}/", days(0, 8, post="yes"))
    assert Leave.objects.get(person=other).last_day == theirs.last_day
    boss.post(f"{LEAVES}{theirs.pk}/delete/", {"post": "yes"})
    assert not Leave.objects.filter(person=other).exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (days(5, 3), "The last day is before the first."),
        (days(-5, -3), "These days are over."),
        (days(2, 2), "There is a leave from "),
        (days(0, 1) | {"last_day": "0026-12-01"}, "Check the year."),
        (days(0, 1) | {"last_day": ""}, "This field is required."),
        (days(0, 1) | {"first_day": "soon"}, "Enter a valid date."),
    ],
)
def test_a_slip_is_said_by_the_field_and_nothing_is_given_back(typed, says, browser, ada):
    row, today = of(ada), timezone.localdate()
    Leave(
        person=ada, first_day=today + timedelta(days=2), last_day=today + timedelta(days=2)
    ).save()
    page = browser.post(f"{LEAVES}add/", typed)
    assert page.status_code == 200
    assert says in words(page)
    assert Leave.objects.count() == 1
    assert not is_given_back(row)


# --- idle -----------------------------------------------------------------------------------------


def test_who_has_not_signed_in_for_days_gives_the_work_back(ada, settings):
    settings.STAFF_IDLE_DAYS = 14
    busy, never = builders.member("clinician", "busy"), builders.member("duty", "never")
    now = timezone.now()
    User.objects.filter(pk=ada.pk).update(last_login=now - timedelta(days=14, minutes=1))
    User.objects.filter(pk=busy.pk).update(last_login=now - timedelta(days=13))
    User.objects.filter(pk=never.pk).update(date_joined=now - timedelta(days=15))
    rows = {user.username: of(user) for user in (ada, busy, never)}
    decided, trail = of(ada, status="decided"), Trail()

    assert leaving.give_back_idle in sweeps._chores
    assert [leaving.give_back_idle(), leaving.give_back_idle()] == [2, 0]
    given = {name: is_given_back(row) for name, row in rows.items()}
    assert given == {"ada": True, "busy": False, "never": True}
    assert not is_given_back(decided)
    (event,) = trail.events(subject=str(rows["ada"].pk))
    assert (event.actor, event.action, event.detail) == ("system:idle", "assign", {"to": None})
    # nobody was at a screen, so a letter says it, once for each person
    builders.member("duty", "lead")
    User.objects.filter(username="lead").update(email="lead@staff.example.org")
    mail.outbox.clear()
    outbox.deliver_due()
    told = [each for each in mail.outbox if "came back" in each.subject]
    assert [each.to for each in told] == [["lead@staff.example.org"]] * 2
    assert not any(rows["ada"].reference in f"{each.subject} {each.body}" for each in told)
