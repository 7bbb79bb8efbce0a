"""The place in the worklist that a submission's page keeps: its token, neighbours and next one."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import RequestFactory
from django.utils import timezone

from intake.desk import list_place
from intake.desk.tabs import TABS
from intake.models.submissions import Decision, Submission, Urgency
from tests import builders
from tests.desk import WORKLIST, find, references, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return builders.member("clinician")


def asking(me, query=""):
    request = RequestFactory().get(f"{WORKLIST}?{query}")
    request.user = me
    request.session = {}
    return request


def test_a_row_leads_to_its_page_with_the_place(clinician, me):
    waiting("Ann Early", Urgency.SOON)
    page = clinician.get(f"{WORKLIST}?tab=triage&urgency=soon&p=1&{'x' * 9}=1", follow=True)
    assert page.status_code == 400  # a name that the list does not know

    page = clinician.get(f"{WORKLIST}?tab=triage&urgency=soon&p=1")
    (row,) = page.context["cl"].result_list
    place = list_place.place_of(row.page.partition("?list=")[2])

    assert place.address == f"{WORKLIST}?tab=triage&urgency=soon&p=1"
    assert "Ann" not in row.page
    assert clinician.get(row.page).status_code == 200
    assert clinician.get(f"{row.page}x").status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a:b:c",
        "é☃",
        "\0",
        "x" * 9000,
        signing.dumps("tab=mine"),  # signed for something else
        signing.Signer(salt="intake.desk.list_place").sign_object({"tab": ["mine"]}),
        signing.Signer(salt="intake.desk.list_place").sign_object("id__gt=0&person__contains=x"),
    ],
    ids=range(9),  # a signature has the time, and the names of tests must not change
)
def test_a_token_that_is_not_ours_is_the_plain_list(token):
    assert list_place.place_of(token) == list_place.Place()


@pytest.mark.parametrize("query", ["", *(f"tab={tab}" for tab in TABS), "tab=all&urgency=soon"])
def test_the_place_has_the_rows_of_its_list_in_order(clinician, me, query):
    now = timezone.now()
    made = [
        waiting(**{"urgency": Urgency.SOON, "hours": hours, **fields})
        for hours, fields in enumerate(
            [
                {},
                {"assignee": me, "status": "in_review"},
                {"status": "waiting", "back_at": now + timedelta(days=2)},
                {"status": "waiting"},
                {"status": "decided", "reply_due_at": now, "alarm": True},
                {"status": "decided", "escalate_at": now},
                {"status": "closed", "urgency": Urgency.URGENT},
            ]
        )
    ]
    Decision.objects.create(
        submission=made[-1], revision=0, urgency_before=1, urgency=1,
        outcome="advice_only", words={"reason": "", "note": ""}, by=me, at=now,
    )  # fmt: skip
    request = asking(me, query)
    place = list_place.place_of(list_place.token_of(request))
    rows = [row.reference for row in place.rows(request)]

    assert rows
    assert rows == references(clinician.get(f"{WORKLIST}?{query}"))


def test_the_neighbours_and_the_next_one_of_the_list(me):
    colleague = builders.member("clinician", "dr-other")
    rows = [waiting(urgency=Urgency.SOON, hours=hours) for hours in range(4)]
    routine, urgent = waiting(urgency=Urgency.ROUTINE), waiting(urgency=Urgency.URGENT)
    Submission.objects.filter(pk=rows[2].pk).update(assignee=colleague)
    request = asking(me)
    soon = list_place.Place("urgency=soon")

    at = list_place.position(rows[1], soon, request)
    assert (at.words, at.before, at.after) == ("2 of 4", rows[0].pk, rows[2].pk)
    last = list_place.position(rows[3], soon, request)
    assert (last.words, last.after) == ("4 of 4", None)
    assert list_place.position(routine, soon, request) is None

    def after(submission, place=soon):
        return list_place.next_of(submission, place, request)

    assert after(rows[1]) == rows[3]  # a colleague has the one between
    assert after(rows[3]) == rows[0]  # the end of the list leads back to its first
    assert after(rows[0], list_place.Place()) == rows[1]
    # a list with nothing left leads to the plain list
    assert after(routine, list_place.Place("urgency=routine")) == urgent
    Submission.objects.exclude(pk=routine.pk).update(status="closed")
    assert after(routine) is None


def test_a_search_is_kept_for_the_way_back(clinician):
    waiting("Zora Canary")
    page = find(clinician, f"{WORKLIST}?tab=mine", "Zora")
    (row,) = page.context["cl"].result_list
    place = list_place.place_of(row.page.partition("?list=")[2])

    assert references(clinician.get(place.address)) == [row.reference]
    assert "Zora" not in place.query
