"""The lists of the front desk are tabs with counts, the same above each of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from intake.appointments import offers, waiting_list
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.desk.instructions import Instruction
from intake.domain import workflow
from intake.models.appointments import Appointment
from intake.models.submissions import Submission
from intake.ways import calls
from tests import builders
from tests.desk import CALLS, FRONT_DESK, VISITS, WAITING, cells, desk_page_of, references, words
from tests.intake import book

pytestmark = pytest.mark.django_db

LISTS = {
    "To book": f"{FRONT_DESK}?list=book",
    "To call": CALLS,
    "Today": VISITS,
    "Offers open": f"{FRONT_DESK}?progress=offered",
    "Waiting list": WAITING,
}

QUERIES = dict(zip(LISTS, (19, 22, 19, 16, 17), strict=True))


@pytest.fixture
def desk():
    book.clinician()
    return builders.staff_client("front desk")


def tabs(page) -> dict[str, str]:
    """Return the tabs of a list with their counts."""
    nav = page.content.decode().partition("Lists of the front desk")[2].partition("</nav>")[0]
    return dict(re.findall(r'>([^<>]+) <span class="rows">([^<]+)<', nav))


def decided(outcome: str, **instruction: Any) -> Submission:
    row = book.patient()
    desk = Instruction(**instruction)
    decisions.decide(
        submission=row,
        given=DecisionInput(row.urgency, outcome, "", "", desk=desk),
        by=builders.member("clinician"),
        revision=row.revision,
        request_id="r",
    )
    return row


def work() -> dict[str, list[Submission]]:
    """Store one patient for each tab, and return the references that each tab shows."""
    by = builders.member("front desk")
    to_book = decided("book_soon", duplex_first=True)
    offered, waits, visitor, to_call = (book.patient() for _each in range(4))
    offers.offer(
        submission=offered,
        slots=[book.free().key],
        visit_type=book.visit_type(),
        by=by,
        request_id="r",
    )
    waiting_list.join_waitlist(submission=waits, by=by, request_id="r")
    visit = book.booked(visitor, book.free(8))
    now = timezone.now()
    Appointment.objects.filter(pk=visit.pk).update(during=(now, now + timedelta(hours=1)))
    calls.owe(submission=to_call, reason="more", occasion=str(to_call.pk))
    return {
        "To book": [to_book],
        "To call": [to_call],
        "Today": [visitor],
        "Offers open": [offered],
        "Waiting list": [waits],
    }


def test_each_tab_counts_what_its_list_shows_and_stands_above_all_of_them(desk):
    wanted = work()
    for label, address in LISTS.items():
        page = desk.get(address)
        assert tabs(page) == dict.fromkeys(LISTS, "1"), label
        assert cells(page, "opens") == [row.reference for row in wanted[label]], label
        current = re.findall(
            r'aria-current="true">([^<]+) <span class="rows"', page.content.decode()
        )
        assert current == [label]


@pytest.mark.parametrize("outcome", [*workflow.TO_BOOK, "call_today", *workflow.NO_VISIT[1:]])
def test_a_visit_is_to_book_until_one_is_offered_or_booked(outcome, desk):
    row = decided(outcome)
    is_to_book = outcome in workflow.TO_BOOK
    assert references(desk.get(LISTS["To book"])) == [row.reference] * is_to_book
    if is_to_book:
        book.booked(Submission.objects.get(pk=row.pk))
    assert references(desk.get(LISTS["To book"])) == []


def test_visits_to_book_stand_by_the_day_with_the_instruction_on_list_and_page(desk):
    soon, later = (timezone.localdate() + timedelta(days=n) for n in (9, 30))
    rows = [
        decided("book_routine"),
        decided("book_urgent", book_by=later.isoformat()),
        decided("book_routine", book_by=soon.isoformat(), duplex_first=True, words="Mornings."),
    ]
    page = desk.get(LISTS["To book"])
    assert references(page) == [row.reference for row in reversed(rows)]
    by = f"by {date_format(soon, 'D, M j')}"
    assert cells(page, "to_do")[0] == f"Book a regular visitduplex scan first; {by}; Mornings."
    text = words(desk.get(desk_page_of(rows[-1])))
    asked = "What the clinician asks Book a regular visit duplex scan first " + f"{by} Mornings."
    assert asked in text
    assert text.index(asked) < text.index("Appointment wished for") < text.index("Free times")


def test_the_counts_are_one_query_that_does_not_grow(desk):
    work()
    few = {label: queries(desk, address) for label, address in LISTS.items()}
    for _each in range(3):
        decided("book_urgent", duplex_first=True)
        calls.owe(submission=book.patient(), reason="more", occasion=str(_each))
    assert {label: queries(desk, address) for label, address in LISTS.items()} == few
    assert few == QUERIES


def queries(client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        client.get(address)
    return len(found)


def test_staff_who_book_no_visits_read_no_tabs():
    assert tabs(builders.staff_client("clinician").get(CALLS)) == {}
    assert tabs(builders.staff_client("clinician").get(VISITS)) == {}
