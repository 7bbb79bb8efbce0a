"""When a member of staff leaves or changes roles, their submissions go back to the worklist."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from clinic import audit
from intake.models.clinic_time import Closure
from intake.models.rota import OnCall
from intake.models.submissions import StatusChange, Submission, Urgency
from tests import builders
from tests.clinic.people.test_people import filled, url
from tests.desk import WORKLIST, Trail, cells, page_of, references, waiting, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return builders.staff_client("administrator")


@pytest.fixture
def leaver():
    return builders.member("clinician", "dr-gone")


def of(user, **fields) -> Submission:
    return waiting(assignee=user, **{"status": "in_review", **fields})


def close(user) -> None:
    """Close an account as the previous release did: the submissions stay assigned to it."""
    user.is_active = False
    user.save()


def another_role(user) -> None:
    user.groups.set([Group.objects.get(name="front desk")])


# --- submissions without an assignee --------------------------------------------------------------


@pytest.mark.parametrize(
    ("leave", "said"),
    [(close, "dr-gone (account closed)"), (another_role, "dr-gone (has another role now)")],
)
def test_what_somebody_holds_who_has_left_counts_as_nobodys(leave, said, clinician, leaver):
    here = waiting(urgency=Urgency.EMERGENCY)
    urgent, own = of(leaver, urgency=Urgency.SAME_DAY), of(builders.member("clinician"))
    colleagues = of(builders.member("duty", "dr-duty"), urgency=Urgency.SAME_DAY)
    over = of(leaver, status="closed")
    leave(leaver)

    nobodys = references(clinician.get(WORKLIST, {"mine": "nobody"}))
    assert nobodys == [here.reference, urgent.reference]
    everywhere = references(clinician.get(WORKLIST, {"mine": "nobody", "status": "all"}))
    assert everywhere == nobodys
    page = clinician.get(page_of(here))
    assert re.search(r'href="([^"]+)"[^>]*>Next<', page.content.decode())[1] == page_of(urgent)
    assert cells(clinician.get(WORKLIST), "assigned") == ["nobody", said, "dr-duty", "clinician"]
    assert f"with {said}" in words(clinician.get(page_of(urgent)))
    assert references(clinician.get(WORKLIST, {"status": "closed"})) == [over.reference]
    del own, colleagues


def test_who_loses_one_of_two_roles_and_can_still_decide_keeps_it(clinician, leaver):
    leaver.groups.add(Group.objects.get(name="duty"))
    of(leaver)
    leaver.groups.set([Group.objects.get(name="duty")])

    assert references(clinician.get(WORKLIST, {"mine": "nobody"})) == []
    assert cells(clinician.get(WORKLIST), "assigned") == ["dr-gone"]


# --- closing an account ---------------------------------------------------------------------------

CHANGES = {
    "closed": {"roles": ["clinician"], "is_active": ""},
    "another role": {"roles": ["front desk"]},
    "no role": {"roles": []},
}


@pytest.mark.parametrize("change", CHANGES)
def test_closing_an_account_lists_what_it_gives_back_asks_and_gives_it_back(
    change, administrator, leaver
):
    rows = [
        of(leaver, name="Quentin Canary", urgency=Urgency.SAME_DAY),
        of(leaver, status="waiting"),
        of(leaver),
    ]
    decided, colleagues = of(leaver, status="decided"), of(builders.member("duty"))
    roles = CHANGES[change]["roles"]
    data = filled(leaver, *roles, **{k: v for k, v in CHANGES[change].items() if k != "roles"})
    data |= {"first_name": "Ada"}
    trail = Trail()
    asked = administrator.post(url(leaver), data)

    assert asked.status_code == 200
    told = "3 submissions of the worklist (Same day: 1, Routine: 2)"
    assert told in words(asked)
    for secret in ("Canary", rows[0].reference, str(rows[0].pk)):
        assert secret not in asked.content.decode()
    leaver.refresh_from_db()
    assert leaver.is_active
    assert leaver.first_name == ""
    assert [group.name for group in leaver.groups.all()] == ["clinician"]
    assert trail.events() == []
    assert not StatusChange.objects.filter(action="release").exists()

    # the page still has all that was typed
    form = re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked.content.decode()
    )
    sent: dict[str, list[str]] = {}
    for name, value in form:
        sent.setdefault(name, []).append(value)
    done = administrator.post(url(leaver), sent | {"give_back": "yes"}, follow=True)

    assert f"Given back: {told}." in words(done)
    leaver.refresh_from_db()
    assert leaver.first_name == "Ada"
    assert leaver.is_active == (change != "closed")
    assert {group.name for group in leaver.groups.all()} == set(roles)
    for row in rows:
        stored = Submission.objects.get(pk=row.pk)
        # a submission that waits for the patient goes on waiting
        status = "waiting" if row.status == "waiting" else "new"
        assert (stored.assignee, stored.status) == (None, status)
        assert stored.revision == row.revision + 1
        step = StatusChange.objects.get(submission=row, action="release")
        assert (step.status, step.by) == (status, builders.member("administrator"))
        (event,) = trail.events(subject=str(row.pk))
        assert (event.action, event.detail) == ("assign", {"to": None})
        assert event.actor == audit.staff(builders.member("administrator"))
    assert Submission.objects.get(pk=decided.pk).assignee == leaver
    assert Submission.objects.get(pk=colleagues.pk).assignee == builders.member("duty")


def test_a_reply_to_what_was_decided_is_given_back_with_its_status(administrator, leaver):
    from intake.my_page import replies

    submission = of(leaver, status="decided")
    replies.reply(submission=submission, text="I can’t breathe.")
    data = filled(leaver, "clinician", is_active="", give_back="yes")
    administrator.post(url(leaver), data)

    stored = Submission.objects.get()
    assert (stored.assignee, stored.status) == (None, "decided")


def test_who_holds_nothing_is_closed_without_a_question(administrator, leaver):
    of(leaver, status="closed")
    response = administrator.post(url(leaver), filled(leaver, "clinician", is_active=""))

    assert response.status_code == 302
    leaver.refresh_from_db()
    assert not leaver.is_active


def test_another_change_of_an_account_gives_nothing_back(administrator, leaver):
    submission = of(leaver)
    data = filled(leaver, "clinician", "duty", email="ada@example.org")

    assert administrator.post(url(leaver), data).status_code == 302
    assert Submission.objects.get(pk=submission.pk).assignee == leaver


def test_a_slip_in_the_form_is_told_before_the_question(administrator, leaver):
    of(leaver)
    page = administrator.post(url(leaver), filled(leaver, is_active="", email="nonsense"))

    assert page.status_code == 200
    assert "Enter a valid email address." in words(page)
    assert "goes back to everybody" not in words(page)


def test_a_page_that_was_open_meanwhile_is_an_old_one(administrator, leaver):
    submission, theirs = of(leaver), builders.sign_in(Client(), builders.member("duty"))
    administrator.post(url(leaver), filled(leaver, "clinician", is_active="", give_back="yes"))
    late = theirs.post(page_of(submission, "assign"), {"revision": 0, "to": "me"}, follow=True)

    assert "Somebody changed this submission" in words(late)


def test_who_leaves_is_on_call_no_more(administrator, leaver):
    today = timezone.localdate()
    days = [(today - timedelta(days=9), today - timedelta(days=2)), (today, today)]
    past, coming = (
        Closure.objects.create(first_day=first, last_day=last, on_call=leaver)
        for first, last in days
    )
    data = filled(leaver, "clinician", is_active="")
    told = "being on call for 1 closure: name another person there"
    assert told in words(administrator.post(url(leaver), data))
    coming.refresh_from_db()
    assert coming.on_call == leaver

    administrator.post(url(leaver), data | {"give_back": "yes"})
    past.refresh_from_db(), coming.refresh_from_db()
    assert (past.on_call, coming.on_call) == (leaver, None)


def test_who_leaves_is_taken_off_the_rota(administrator, leaver):
    now = timezone.now()
    for start in (-9, 2):
        begin = now + timedelta(days=start)
        OnCall(person=leaver, starts_at=begin, ends_at=begin + timedelta(days=1)).save()
    data = filled(leaver, "clinician", is_active="")
    told = "1 time on call: name another person then"
    assert told in words(administrator.post(url(leaver), data))
    assert OnCall.objects.count() == 2
    administrator.post(url(leaver), data | {"give_back": "yes"})
    assert [row.starts_at < now for row in OnCall.objects.all()] == [True]
