"""The worklist: its submissions, their order, the search, and no patient's name in an address."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.opening_hours import ClinicHours
from intake import documents
from intake.demonstration import bulk
from intake.demonstration import people as demo
from intake.models.submissions import Submission, Urgency
from intake.protocols import current
from tests import builders
from tests.desk import WORKLIST, Trail, cells, find, page_of, references, waiting, words

pytestmark = pytest.mark.django_db


# --- the order and the columns ----------------------------------------------------------------


def test_the_most_urgent_comes_first_then_the_nearest_target(clinician):
    made = {
        "routine, late": waiting(urgency=Urgency.ROUTINE, hours=-200),
        "soon": waiting(urgency=Urgency.SOON, hours=5),
        "same day, later": waiting(urgency=Urgency.SAME_DAY, hours=3),
        "same day, first": waiting(urgency=Urgency.SAME_DAY, hours=1),
        "emergency": waiting(urgency=Urgency.EMERGENCY, hours=50),
    }
    page = clinician.get(WORKLIST)

    order = ["emergency", "same day, first", "same day, later", "soon", "routine, late"]
    assert references(page) == [made[name].reference for name in order]
    assert references(clinician.get(WORKLIST, {"o": "-3"})) == references(page)
    assert cells(page, "urgency_mark") == ["Emergency", "Same day", "Same day", "Soon", "Routine"]


def test_a_row_says_how_long_who_and_by_when(clinician, settings):
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 09:00-17:00", [], settings.TIME_ZONE)
    now = timezone.now()
    waiting("Ann Early", Urgency.SAME_DAY, submitted_at=now - timedelta(hours=30), hours=-24)
    waiting("Bob Young", Urgency.SOON, submitted_at=now - timedelta(minutes=7), hours=24 * 40)
    waiting("Cy Old", Urgency.ROUTINE, submitted_at=now - timedelta(days=9), hours=24 * 80)
    page = clinician.get(WORKLIST)

    assert cells(page, "patient") == ["Ann Early", "Bob Young", "Cy Old"]
    assert cells(page, "waiting_for") == ["30 h", "7 min", "9 days"]
    # 24 hours late; the clinic was open for eight of these hours
    assert cells(page, "contact_by")[0] == "overdue by 8 h"
    assert "overdue" not in "".join(cells(page, "contact_by")[1:])
    assert cells(page, "state") == ["New"] * 3
    assert cells(page, "assigned") == ["–"] * 3


def test_a_target_that_passed_while_closed_is_overdue_by_nothing_yet(clinician, clinic_closed):
    waiting(hours=-1)

    assert cells(clinician.get(WORKLIST), "contact_by") == ["overdue"]


def test_what_is_decided_is_not_overdue(clinician):
    waiting(hours=-50, status="decided")

    assert "overdue" not in words(clinician.get(WORKLIST, {"status": "decided"}))


def test_the_reason_is_short(clinician):
    submission = builders.submission(
        vein_look=("varicose", "open_sore"),
        vein_bleed="last_7d",
        wound_time="ge_2w",
        wound_signs=("on_foot_toe",),
        conditions=("diabetes",),
        foot_signs=("numb_burning",),
        vein_sx=("heavy_ache",),
    )
    fired = len(submission.result.fired)
    (why,) = cells(clinician.get(WORKLIST), "why")

    assert fired > 2
    assert why[0].isupper()
    assert why.count(";") <= 1
    assert why.endswith(" more")
    assert len(why) < 130


def test_nobody_waiting_is_said_kindly(clinician):
    assert "Nobody is waiting." in words(clinician.get(WORKLIST))
    assert "No submission fits these filters." in words(clinician.get(WORKLIST, {"mine": "me"}))
    found = words(find(clinician, WORKLIST, "Zebulon"))
    assert "Nothing fits “Zebulon”." in found
    assert "0 matches" in found


def test_the_page_calls_itself_worklist(clinician):
    page = words(clinician.get(WORKLIST))

    assert page.startswith("Worklist | ")
    assert "Select submission" not in page
    assert clinician.get("/admin/").headers["Location"] == WORKLIST


def test_a_long_list_comes_in_pages(clinician):
    load(30)
    first, second = clinician.get(WORKLIST, {"status": "all"}), None
    second = clinician.get(WORKLIST, {"status": "all", "p": 2})

    assert (len(references(first)), len(references(second))) == (25, 5)
    assert "30 on this list" in words(first)
    assert len(references(clinician.get(WORKLIST, {"status": "all", "all": ""}))) == 25
    assert clinician.get(WORKLIST, {"p": "999"}).status_code == 302
    assert clinician.get(WORKLIST, {"p": "x"}, follow=True).status_code == 200


# --- filters --------------------------------------------------------------------------------------


def test_only_what_waits_is_shown_unless_asked_otherwise(clinician):
    new, decided, closed = waiting(), waiting(status="decided"), waiting(status="closed")
    review, asked = waiting(status="in_review"), waiting(status="waiting")
    everyone = {row.reference for row in (new, decided, closed, review, asked)}

    def shown(**query):
        return set(references(clinician.get(WORKLIST, query)))

    assert shown() == {new.reference, review.reference, asked.reference}
    assert shown(status="decided") == {decided.reference}
    assert shown(status="closed") == {closed.reference}
    assert shown(status="all") == everyone
    assert shown(status="nonsense") == shown()
    page = words(clinician.get(WORKLIST))
    assert "Status: Any" in page


def test_each_filter_shows_its_own(clinician):
    me = builders.member("clinician")
    colleague = builders.member("clinician", "dr-other")
    mine = waiting(assignee=me, status="in_review")
    theirs = waiting(assignee=colleague, status="in_review")
    flagged = waiting(urgency=Urgency.SAME_DAY)
    lowered = waiting(urgency=Urgency.SOON, assessed_urgency=Urgency.EMERGENCY)
    old = waiting(submitted_at=timezone.now() - timedelta(days=5))
    ancient = waiting(submitted_at=timezone.now() - timedelta(days=90))

    def shown(**query):
        return set(references(clinician.get(WORKLIST, query)))

    def refs(*rows):
        return {row.reference for row in rows}

    assert shown(mine="me") == refs(mine)
    assert shown(mine="nobody") == refs(flagged, lowered, old, ancient)
    assert shown(urgency="same_day") == refs(flagged)
    assert shown(urgency="soon") == refs(lowered)
    # a red flag stays a red flag, even if a clinician lowers the urgency
    assert shown(red="yes") == refs(flagged, lowered)
    assert shown(red="no") == refs(mine, theirs, old, ancient)
    assert shown(sent="0") == refs(mine, theirs, flagged, lowered)
    assert shown(sent="7") == refs(mine, theirs, flagged, lowered, old)
    assert shown(sent="30") == shown(sent="7")
    assert shown(mine="nobody", red="yes", urgency="soon") == refs(lowered)
    assert shown(sent="x", mine="x", red="x", urgency="x") == shown()


# --- search ---------------------------------------------------------------------------------------

PERSON = {
    "name": "María José O’Brien",
    "callback_phone": "+12025550199",
    "email": "Maria.Jose@example.org",
    "birth_date": "1982-03-27",
}


@pytest.mark.parametrize(
    "typed",
    [
        "María José O’Brien",
        "maria jose obrien",
        "MARIA",
        "mar obr",
        "Marya Obrian",
        "+1 202-555-0199",
        "(202) 555-0199",
        "2025550199",
        "maria.jose@EXAMPLE.org",
        "1982-03-27",
        "3/27/1982",
    ],
)
def test_a_patient_is_found_by_what_staff_type(clinician, typed):
    waiting("Quite Another", hours=1)
    Submission.objects.update(search_keys=[])  # so that no other patient is found by chance
    wanted = builders.submission(PERSON)

    assert references(find(clinician, WORKLIST, typed)) == [wanted.reference]


def test_a_reference_is_found_however_it_is_typed(clinician):
    waiting()
    wanted = waiting()
    ref = wanted.reference

    for typed in (ref, ref.lower(), ref.replace("-", " "), f"  {ref} "):
        assert references(find(clinician, WORKLIST, typed)) == [ref]


def test_a_search_looks_everywhere_and_says_so(clinician):
    decided = waiting("Dora Decided", status="closed")
    page = find(clinician, WORKLIST, "dora")

    assert references(page) == [decided.reference]
    assert "1 match" in words(page)
    assert "Status: Any" in words(page)


def test_the_best_find_comes_first(clinician):
    names = ["Ann Smith", "Annabel Smithers", "Anne Smyth"]
    made = {name: waiting(name, Urgency.ROUTINE) for name in names}
    Submission.objects.filter(pk=made["Anne Smyth"].pk).update(urgency=Urgency.EMERGENCY)

    found = references(find(clinician, WORKLIST, "ann smith"))

    assert found == [made[name].reference for name in names]


def test_answers_are_not_searched(clinician):
    builders.submission(reason_text="ANSWERCANARY in the evening")

    for typed in ("ANSWERCANARY", "evening", "restless", "44"):
        assert references(find(clinician, WORKLIST, typed)) == []


def test_a_search_is_written_down_without_its_words(clinician):
    waiting("Zaphod Canary")
    trail = Trail()
    page = find(clinician, WORKLIST, "Zaphod Canary")

    (event,) = trail.of(page)
    assert event.action == "search"
    assert "aphod" not in str(event.detail)
    assert int(event.detail["term"])


def test_what_is_searched_for_never_stands_in_an_address(clinician):
    for number in range(30):
        waiting(f"Zora Canary{'-Jones' * (number % 2)}")
    page = find(clinician, f"{WORKLIST}?status=new", "Zora Canary")
    links = re.findall(r'(?:href|action)="([^"]*)"', page.content.decode())
    (address, _status) = page.redirect_chain[-1]

    assert len(references(page)) == 25
    assert "30 matches" in words(page)
    assert address.startswith(f"{WORKLIST}?status=new&find=")
    assert not [link for link in (address, *links) if "anary" in link]

    # the next page, another filter and the way back keep the search
    def follow(holds):
        return clinician.get(WORKLIST + unescape(next(link for link in links if holds in link)))

    assert len(references(follow("p=2"))) == 5
    assert "30 matches" in words(follow("urgency=routine"))
    assert references(clinician.get(address)) == references(page)


def test_a_search_belongs_to_one_session(clinician):
    waiting("Zora Canary")
    waiting("Otto Other")
    address = find(clinician, WORKLIST, "Zora").redirect_chain[-1][0]

    theirs = builders.staff_client("clinician", "dr-other").get(address)

    assert "That search is over" in words(theirs)
    assert "Zora" not in re.findall(r'<input type="search"[^>]*>', theirs.content.decode())[0]
    assert len(references(theirs)) == 2
    assert find(clinician, address, "").redirect_chain[-1][0] == f"{WORKLIST}?"


def test_a_search_whose_key_is_gone_is_over(clinician):
    waiting("Zora Canary")
    address = find(clinician, WORKLIST, "Zora").redirect_chain[-1][0]
    session = clinician.session
    ticket, sealed = next(iter(session["searches"].items()))
    session["searches"] = {ticket: sealed[:-8] + "AAAAAAA="}
    session.save()

    page = clinician.get(address)
    assert page.status_code == 200
    assert "That search is over" in words(page)


def test_a_term_in_the_address_is_not_searched_for(clinician):
    waiting("Zora Canary")
    waiting("Otto Other")

    assert len(references(clinician.get(WORKLIST, {"q": "Zora"}))) == 2


@pytest.mark.parametrize("typed", ["%", "_", "'", "\\", "--", "☃", "a" * 5000, "-", "=", "0"])
def test_odd_words_find_nothing_and_break_nothing(clinician, typed):
    waiting("Ann Early")

    page = find(clinician, WORKLIST, typed)

    assert page.status_code == 200
    assert references(page) == []


# --- what the address does not accept ----------------------------------------------------------

ORACLES = [
    "status__exact=new",
    "status__startswith=n",
    "person__contains=Canary",
    "person__isnull=0",
    "answers__contains=none",
    "search_keys__contains=1",
    "assignee__password__startswith=x",
    "assignee__username=dr",
    "decisions__words__contains=x",
    "protocol__document__contains=x",
    "draft_id=x",
    "urgency__gte=3",
    "nothing=1",
    "id__gt=0",
]


def test_a_lookup_of_our_columns_is_refused_and_all_alike(clinician):
    waiting("Quentin Canary")
    answers = {
        (page.status_code, words(page))
        for page in (clinician.get(f"{WORKLIST}?{oracle}") for oracle in ORACLES)
    }

    assert len(answers) == 1
    (status, text) = answers.pop()
    assert status == 400
    assert "Canary" not in text


# --- cost -----------------------------------------------------------------------------------------


def load(count: int) -> None:
    protocol, now = current(), timezone.now()
    documents.store_protocol(protocol)
    people = demo.patients(protocol, seed=1, count=count, until=now)
    bulk.load(patients=list(people), now=now, clinician=builders.member("clinician"))


def test_the_list_costs_the_same_for_five_and_for_three_hundred(clinician):
    clinician.get(WORKLIST)
    costs = []
    for more in (5, 25, 270):
        load(more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = clinician.get(WORKLIST, {"status": "all"})
        costs.append(len(queries))
        assert page.status_code == 200

    assert Submission.objects.count() == 300
    assert len(set(costs)) == 1, costs
    # four queries begin and end the transaction and its savepoint; one is for the banner of red
    # flags; one counts the owed calls; one finds the protocols of the stored submissions;
    # two are for the ways to the patients
    assert costs[0] == 17


def test_a_submission_is_spoken_of_by_its_reference_alone():
    submission = waiting("Quentin Canary")

    assert str(submission) == submission.reference
    assert page_of(submission)
