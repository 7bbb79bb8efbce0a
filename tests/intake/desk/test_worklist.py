"""The worklist: its submissions, their order, the search, and no patient's name in an address."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.opening_hours import ClinicHours
from intake import documents
from intake.demonstration import bulk
from intake.demonstration import people as demo
from intake.desk.list_place import NAMES, Place, next_of
from intake.models.submissions import Decision, SavedFilter, Submission, Urgency
from intake.protocols import current
from intake.staff import status_words
from tests import builders
from tests.desk import WORKLIST, Trail, cells, find, names, page_of, references, waiting, words

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

    assert names(page) == ["Ann Early", "Bob Young", "Cy Old"]
    assert cells(page, "sent")[1].startswith("today, ")
    # 24 hours late; the clinic was open for eight of these hours
    assert cells(page, "due")[0] == "overdue by 8 h"
    assert "overdue" not in "".join(cells(page, "due")[1:])
    assert cells(page, "state") == ["New"] * 3
    assert cells(page, "assigned") == ["nobody"] * 3


def test_a_target_that_passed_while_closed_is_overdue_by_nothing_yet(clinician, clinic_closed):
    waiting(hours=-1)

    assert cells(clinician.get(WORKLIST), "due") == ["overdue"]


def test_what_is_decided_is_not_overdue(clinician):
    waiting(hours=-50, status="decided")

    assert cells(clinician.get(WORKLIST, {"status": "decided"}), "due") == ["nothing due now"]


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
    assert why.endswith(f", +{fired - 1}")
    assert len(why) < 80


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


@pytest.mark.parametrize("value", ["", "☃", "-1", "9" * 30, "a" * 3000])
def test_hand_written_filters_give_the_plain_list_or_a_sentence(clinician, value):
    row = waiting("Quentin Canary")
    addresses = [(WORKLIST, name) for name in (*NAMES, "o", "all", "e")]
    addresses += [(page_of(row, "preview"), "list"), (page_of(row), "list")]
    addresses += [(f"{WORKLIST}changed/", name) for name in ("list", "seen")]
    for address, name in addresses:
        page = clinician.get(address, {name: value}, follow=True)
        assert page.status_code in (200, 204, 400), (address, name)
    assert references(clinician.get(WORKLIST, {"tab": value})) == [row.reference]
    slug = quote(value or "x", safe="")
    assert clinician.get(f"{WORKLIST}saved/{slug}/").status_code == 302


# --- cost -----------------------------------------------------------------------------------------


def load(count: int) -> None:
    protocol, now = current(), timezone.now()
    documents.store_protocol(protocol)
    people = demo.patients(protocol, seed=1, count=count, until=now)
    bulk.load(patients=list(people), now=now, clinician=builders.member("clinician"))


def test_the_list_costs_ten_statements_however_many_rows(clinician):
    clinician.get(WORKLIST)
    costs = {}
    for more in (3, 40, 257):
        load(more)
        for query in ("", "tab=all", "tab=triage&urgency=soon", "tab=mine"):
            with CaptureQueriesContext(connection) as queries:
                page = clinician.get(f"{WORKLIST}?{query}")
            assert page.status_code == 200
            asked = (each["sql"] for each in queries.captured_queries)
            statements = [sql for sql in asked if "SAVEPOINT" not in sql]
            costs.setdefault(query, []).append(len(statements))

    assert Submission.objects.count() == 300
    # session, user and rights; all counts of tabs and filters at once; the rows; two for the ways
    # to the patients; trouble with messages; banner and owed calls; the recorded read
    assert costs[""] == costs["tab=all"] == [10, 10, 10]
    # a list without rows needs neither rows nor ways
    assert costs["tab=triage&urgency=soon"] == [7, 10, 10]
    assert costs["tab=mine"] == [7, 7, 7]


def test_a_submission_is_spoken_of_by_its_reference_alone():
    submission = waiting("Quentin Canary")

    assert str(submission) == submission.reference
    assert page_of(submission)


# --- tabs, and what is due ------------------------------------------------------------------------


def tabs_of(page) -> dict[str, str]:
    """Return the tabs of the worklist with their counts."""
    found = re.findall(
        r'<a href="[^"]*"[^>]*>([^<]+?)(?: <span class="number">([^<]+)</span>)?</a>',
        page.content.decode().partition('<nav class="tabs"')[2].partition("</nav>")[0],
    )
    return {label.strip(): count for label, count in found}


def test_the_tabs_are_the_states_of_the_work(clinician):
    me, now = builders.member("clinician"), timezone.now()
    later = now + timedelta(days=2)
    new = waiting()
    mine = waiting(status="in_review", assignee=me)
    not_reached = waiting(status="waiting")
    asked = waiting(status="waiting", back_at=later, assignee=me)
    wrote = waiting(status="decided", reply_due_at=later)
    owed = waiting(status="decided", escalate_at=later)
    decided = waiting(status="decided")
    early = waiting(status="closed")
    bot = waiting(suspect=True)
    for row, at in ((decided, now), (early, now - timedelta(days=2)), (asked, now)):
        Decision.objects.create(
            submission=row, revision=0, urgency_before=1, urgency=1, outcome="advice_only",
            words={"reason": "", "note": ""}, by=me, at=at,
        )  # fmt: skip
    shown = {
        "": (new, mine, not_reached, wrote, owed),
        "triage": (new, mine, not_reached),
        "replied": (wrote,),
        "call": (not_reached, owed),
        "patient": (asked,),
        "mine": (mine, asked),
        "decided": (decided,),
        "all": (new, mine, not_reached, asked, wrote, owed, decided, early, bot),
    }
    for tab, rows in shown.items():
        page = clinician.get(WORKLIST, {"tab": tab} if tab else {})
        assert set(references(page)) == {row.reference for row in rows}, tab
    assert tabs_of(clinician.get(WORKLIST)) == {
        "To do": "5",
        "Needs triage": "3",
        "Patient replied": "1",
        "Call back": "2",
        "Waiting for patient": "1",
        "Mine": "2",
        "Decided today": "1",
        "All": "",
    }
    assert "1 possible bot waits" in words(clinician.get(WORKLIST))
    assert references(clinician.get(WORKLIST, {"tab": "nonsense"})) == references(
        clinician.get(WORKLIST)
    )


def test_a_tab_counts_to_ninety_nine(clinician):
    load(1)
    (row,) = Submission.objects.all()
    Submission.objects.update(status="new", suspect=False)
    fields = {each.attname for each in row._meta.concrete_fields}
    given = {name: getattr(row, name) for name in fields - {"id", "reference", "draft_id"}}
    Submission.objects.bulk_create(
        Submission(**given, reference=f"AAAA-{number:04}", draft_id=uuid4())
        for number in range(100)
    )
    assert tabs_of(clinician.get(WORKLIST))["To do"] == "99+"


def test_the_line_above_the_tabs_says_what_is_due(clinician, settings):
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 00:00-24:00", [], settings.TIME_ZONE)
    now = timezone.now()
    assert "0 overdue, nothing else due, open until 00:00" in words(clinician.get(WORKLIST))
    waiting(hours=-3)
    waiting(status="decided", reply_due_at=now - timedelta(hours=1), hours=-90)
    waiting(status="waiting", back_at=now + timedelta(days=2), hours=-90)
    waiting(status="decided", reply_due_at=now + timedelta(minutes=38, seconds=30))
    waiting(hours=5)

    assert "2 overdue, next due in 38 min, open until" in words(clinician.get(WORKLIST))


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (timedelta(minutes=20), "overdue by 20 min"),
        (timedelta(hours=5), "overdue by 5 h"),
        (timedelta(days=1), "overdue by 8 h"),
        (timedelta(days=7), "overdue by 4 working days"),
        (timedelta(days=333), "overdue by 237 working days"),
    ],
)
def test_lateness_has_one_unit_of_opening_time(late, said, settings):
    hours_of = ClinicHours.parse("Mon-Fri 09:00-17:00", [], "America/New_York")
    settings.CLINIC_HOURS = hours_of
    now = datetime(2026, 11, 25, 16, 0, tzinfo=hours_of.zone)  # a Wednesday
    row = Submission(target_at=now - late, status="new", urgency=Urgency.URGENT)
    assert said in str(status_words._overdue_mark(row, now))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"target_at": timedelta(minutes=38, seconds=5)}, r"in 38 min, \d\d:\d\d"),
        ({"target_at": timedelta(days=9, hours=1)}, r"in 9 days, [A-Z][a-z]{2} \d+ [A-Z][a-z]{2}"),
        (
            {"target_at": timedelta(days=9, hours=1), "urgency": Urgency.SOON},
            r"in 9 days, see by [A-Z][a-z]{2} \d+ [A-Z][a-z]{2}",
        ),
        (
            {"status": "waiting", "back_at": timedelta(days=3, hours=1)},
            r"in 3 days, back [A-Z][a-z]{2} \d+ [A-Z][a-z]{2}",
        ),
        ({"status": "closed"}, "nothing due now"),
    ],
)
def test_due_is_said_as_time_from_now_and_by_the_clock(fields, said):
    at = timezone.now()
    given = {"target_at": timedelta(0), "urgency": Urgency.URGENT, "status": "new", **fields}
    given = {k: at + v if isinstance(v, timedelta) else v for k, v in given.items()}
    plain = re.sub(r"<[^>]+>", "", status_words.due_words(Submission(**given)))
    assert re.fullmatch(said, plain) or plain.startswith("in 38 min, ")


# --- filters that count ---------------------------------------------------------------------------


def test_each_option_says_how_many_rows_a_click_on_it_shows(clinician):
    waiting(urgency=Urgency.SAME_DAY)
    waiting(urgency=Urgency.SOON, assignee=builders.member("clinician"))
    waiting(urgency=Urgency.SOON, submitted_at=timezone.now() - timedelta(days=5))
    waiting(urgency=Urgency.SOON, status="decided")
    for start in ("tab=triage", "tab=triage&urgency=soon", "tab=triage&mine=me&red=no"):
        page = clinician.get(f"{WORKLIST}?{start}")
        options = re.findall(
            r'<li><a href="([^"]*)"[^>]*>[^<]*<span class="number">(\d+)<', page.content.decode()
        )
        assert len(options) > 12
        for link, count in options:
            shown = references(clinician.get(WORKLIST + unescape(link)))
            assert len(shown) == int(count), link


# --- looking now, and the preview -----------------------------------------------------------------


def test_a_colleague_who_opened_the_page_is_looking_now(clinician):
    row = waiting("Ann Early")
    colleague = builders.staff_client("clinician", "dr-other")
    assert cells(clinician.get(WORKLIST), "assigned") == ["nobody"]

    colleague.get(page_of(row, "preview"))
    colleague.get(WORKLIST)
    assert cells(clinician.get(WORKLIST), "assigned") == ["nobody"]
    colleague.get(page_of(row))
    assert cells(clinician.get(WORKLIST), "assigned") == ["nobodydr-other is looking now"]
    assert cells(colleague.get(WORKLIST), "assigned") == ["nobody"]
    request = clinician.get(WORKLIST).wsgi_request
    assert next_of(waiting(), Place(), request) == row  # it stays in the way of Next


def test_the_preview_shows_what_decides_and_is_recorded(clinician):
    row = builders.submission(
        {"name": "Ann Early"},
        reason_text="I am so tired of this.",
        conditions=("iron_low",),
        iron_results="yes_numbers",
        ferritin="11.5",
    )
    before, trail = Submission.objects.values().get(pk=row.pk), Trail()
    page = clinician.get(f"{page_of(row, 'preview')}?list={Place('tab=triage').token}")
    text = words(page)

    assert "I am so tired of this." in text
    assert "Ferritin 11.5" in text
    assert "None booked" in text
    assert f"?list={Place('tab=triage').token}" in page.content.decode()
    (event,) = trail.of(page)
    assert (event.action, event.subject, event.detail) == ("read", str(row.pk), {"page": "preview"})
    assert Submission.objects.values().get(pk=row.pk) == before  # ends no clock
    part = clinician.get(f"{page_of(row, 'preview')}?part")
    assert "<html" not in part.content.decode()
    assert "I am so tired of this." in words(part)


# --- saved filters, and a list that changed -------------------------------------------------------

SAVED = f"{WORKLIST}saved/"


def save(client, name, query="tab=triage&urgency=soon&p=1", **more):
    place = Place(query)
    return client.post(SAVED, {"name": name, "list": place.token, **more}, follow=True)


def test_a_filter_is_kept_under_a_short_name_for_one_or_for_all(clinician):
    colleague = builders.staff_client("clinician", "dr-other")
    trail = Trail()
    page = save(clinician, "  My   mornings ")

    assert "The filter is saved." in words(page)
    assert page.redirect_chain[-1][0] == f"{WORKLIST}?tab=triage&urgency=soon&p=1"
    assert clinician.get(f"{SAVED}my-mornings/").url == f"{WORKLIST}?tab=triage&urgency=soon"
    assert [event.action for event in trail.events(action="config")] == ["config"]
    assert "My mornings" in words(page)
    assert "My mornings" not in words(colleague.get(WORKLIST))
    assert "no saved filter of this name" in words(
        colleague.get(f"{SAVED}my-mornings/", follow=True)
    )

    save(clinician, "My mornings", "tab=mine", shared="on")  # the same name replaces it
    assert SavedFilter.objects.count() == 1
    assert "My mornings shared" in words(colleague.get(WORKLIST))
    assert colleague.get(f"{SAVED}my-mornings/").url == f"{WORKLIST}?tab=mine"
    save(colleague, "My mornings", "tab=all")  # the own one comes first
    assert colleague.get(f"{SAVED}my-mornings/").url == f"{WORKLIST}?tab=all"

    colleague.post(f"{SAVED}my-mornings/delete/")
    assert "Only its owner" in words(colleague.post(f"{SAVED}my-mornings/delete/", follow=True))
    assert SavedFilter.objects.get().owner.username == "clinician"
    assert clinician.get(f"{SAVED}my-mornings/delete/").status_code == 302
    assert SavedFilter.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "!!", "x" * 41, "☃", "<script>"])
def test_a_name_that_gives_no_address_is_refused_in_words(clinician, name):
    page = save(clinician, name)

    assert page.status_code == 200
    if name != "<script>":
        assert "Give the filter a name" in words(page)
        assert not SavedFilter.objects.exists()


def test_any_script_is_a_name_and_twenty_are_enough(clinician):
    for number in range(20):
        save(clinician, f"früh {number}")
    assert "Delete one of them first" in words(save(clinician, "朝"))
    assert clinician.get(f"{SAVED}früh-1/").status_code == 302
    long = "&".join(f"{name}={'é' * 25}" for name in ("tab", "status", "urgency"))
    assert "not the filters of the worklist" in words(save(clinician, "früh 1", long))


def test_the_page_asks_each_minute_whether_the_list_changed(clinician):
    row = waiting("Quentin Canary")
    page = clinician.get(f"{WORKLIST}?tab=triage")
    address = unescape(re.search(r'data-changed="([^"]+)"', page.content.decode()).group(1))
    session = clinician.session
    session["staff_seen"] -= 600  # so that another page would renew the session
    session.save()
    before, trail = dict(clinician.session.items()), Trail()

    assert clinician.get(address).status_code == 204
    Submission.objects.filter(pk=row.pk).update(revision=7)
    said = clinician.get(address)
    assert "The list has changed: reload" in words(said)
    assert f'href="{WORKLIST}?tab=triage"' in said.content.decode()
    assert "Canary" not in said.content.decode()
    assert row.reference not in said.content.decode()
    assert trail.events() == []
    assert dict(clinician.session.items()) == before
    # a search has no such question: its order is another one
    assert "data-changed" not in find(clinician, WORKLIST, "Quentin").content.decode()
    assert clinician.get(f"{WORKLIST}changed/?list=x&seen=☃").status_code == 200
