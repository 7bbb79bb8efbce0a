"""No list and no page of staff reads the whole table of submissions.

The test stores some thousand submissions as the bench does, and lets PostgreSQL collect statistics.
Each statement of a page is run under EXPLAIN, exactly as the page sends it. The test counts the
rows that a statement reads, because a statement can read a whole table through an index, too.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intake.desk import closing
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import ORDER, ProtocolDocument, Submission
from intake.staff.filters import NotClosedFilter, ProgressFilter, SentFilter, UrgencyFilter
from tests import builders
from tests.bench import records
from tests.desk import FRONT_DESK, WORKLIST, desk_page_of, page_of

pytestmark = pytest.mark.django_db
ROWS = 2_500  # submissions, of which a tenth waits and a tenth is decided
COUNTED = 700  # rows that the head of the worklist reads more: up to a hundred for each count
MOST = 1_050  # rows that a statement may read: a list counts up to a thousand rows and shows 25


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Some thousand submissions for all tests of this module, deleted at the end."""
    with django_db_blocker.unblock():
        clinician = builders.member("clinician", "dr-plan")
        records.store(ROWS, [clinician])
        with connection.cursor() as cursor:
            for model in records.TABLES:
                cursor.execute(f"vacuum (analyze) {model._meta.db_table}")
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"truncate {Submission._meta.db_table} cascade")
        ProtocolDocument.objects.all().delete()
        clinician.delete()


@pytest.fixture
def clinician(stored):
    return builders.staff_client("clinician", "dr-plan")


@pytest.fixture
def front_desk(stored):
    return builders.staff_client("front desk", "desk-plan")


def plans(client, url: str) -> list[dict[str, Any]]:
    """Return the database's plan for each query of a page about submissions.

    With some thousand rows, reading the whole table costs about as much as using an index, so the
    planner's choice would depend on chance. Here the planner may read the whole table only when no
    index helps. Only a query that no index helps would be slow with a hundred times as many rows.
    """
    assert client.get(url).status_code == 200  # fills the caches of the process
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    found = []
    for query in asked.captured_queries:
        sql = query["sql"]
        if sql.startswith("SELECT") and "intake_submission" in sql:
            with connection.cursor() as cursor:
                cursor.execute("set local enable_seqscan = off")
                cursor.execute(f"explain (analyze, format json) {sql}")
                ((plan,),) = cursor.fetchall()
            found.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    assert found, url
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def read(node: dict[str, Any]) -> float:
    """Return how many submissions a step of a plan has read."""
    if node.get("Relation Name") != "intake_submission":
        return 0
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return (each + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"]


def assert_by_index(client, url: str, index: str = "", most: int = MOST) -> None:
    found = plans(client, url)
    for plan in found:
        whole = sum(map(read, nodes(plan)))
        assert whole <= most, f"{url} reads {whole} rows\n{json.dumps(plan, indent=1)}"
    used = {node.get("Index Name", "") for plan in found for node in nodes(plan)}
    assert not index or any(index in name for name in used), used


@pytest.mark.parametrize("status", ["new", "decided", "closed", "withdrawn"])
def test_the_submission_page(clinician, front_desk, status):
    row = Submission.objects.filter(status=status).first()
    assert_by_index(clinician, page_of(row), "follows_id")
    row = Submission.objects.filter(status=status, appointment_request__isnull=False).first()
    assert_by_index(front_desk, desk_page_of(row))


def test_a_submission_that_adds_to_another_one(clinician):
    added = Submission.objects.exclude(follows=None).first()
    first = added.follows
    assert first.reference in clinician.get(page_of(added)).content.decode()
    assert added.reference in clinician.get(page_of(first)).content.decode()
    assert_by_index(clinician, page_of(added), "follows_id")


def test_every_row_of_the_bench_opens(clinician):
    for row in Submission.objects.order_by("?")[:30]:
        page = clinician.get(page_of(row))
        assert page.status_code == 200
        assert row.person["name"] in page.content.decode()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "submission_worklist"),
        ("status=replies", ""),  # two partial indexes hold the replies; either of them will do
        ("status=suspect", "submission_suspect"),
        ("status=all", "submission_sorted"),
        ("status=closed", ""),  # any index will do, because most submissions are closed
        ("tab=triage", ""),
        ("tab=replied", ""),
        ("tab=call", ""),
        ("tab=patient", ""),
        ("tab=mine", "submission_mine"),
        ("tab=decided", ""),
        ("tab=all", "submission_sorted"),
    ],
)
def test_the_worklist(clinician, query, index):
    assert_by_index(clinician, f"{WORKLIST}?{query}", index, MOST + COUNTED)


def test_the_open_red_flags(clinician):
    assert_by_index(clinician, "/admin/intake/openredflag/")


def test_what_closes_by_itself(stored):
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        sql, params = closing.finished().order_by("pk").values_list("pk").query.sql_with_params()
        cursor.execute(f"explain (analyze, format json) {sql}", params)
        ((plan,),) = cursor.fetchall()
    (whole,) = json.loads(plan) if isinstance(plan, str) else plan
    assert sum(map(read, nodes(whole["Plan"]))) <= MOST


@pytest.mark.parametrize("code", [code for code, _words in ProgressFilter.options])
def test_the_front_desks_appointments(front_desk, code):
    # the waiting list is short, so the database may begin there and use no index of submissions
    index = "" if code == "waitlist" else "submission_open"
    assert_by_index(front_desk, f"{FRONT_DESK}?progress={code}", index)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "list=book",
        *(f"urgency={code}" for code, _words in UrgencyFilter.options),
        *(f"status={code}" for code, _words in NotClosedFilter.options),
        *(f"sent={code}" for code, _words in SentFilter.options),
    ],
)
def test_the_front_desks_list(front_desk, query):
    # two partial indexes hold the replies, and either of them will do
    wanted = "submission_open" if not query else ""
    assert_by_index(front_desk, f"{FRONT_DESK}?{query}", wanted)


@pytest.mark.parametrize("status", ["", "all", "closed", "decided", "new"])
@pytest.mark.parametrize("progress", [code for code, _words in ProgressFilter.options])
def test_the_filter_by_appointment_finds_what_a_join_finds(front_desk, progress, status):
    page = front_desk.get(f"{FRONT_DESK}?progress={progress}&status={status}")
    rows = {"": NotClosedFilter.shown_by_default}.get(status)
    found = Submission.objects.filter(rows) if rows else Submission.objects.all()
    if status not in ("", "all"):
        found = found.filter(status=status)
    asked = AppointmentRequest.objects.filter(submission__in=found)
    if progress == "waitlist":
        asked = asked.filter(waiting__isnull=False)
    else:
        asked = asked.filter(progress=progress)
    assert page.context["cl"].result_count == min(asked.count(), 1000)
    wanted = found.filter(appointment_request__in=asked).order_by(*ORDER)
    shown = [row.pk for row in page.context["cl"].result_list]
    assert shown == [row.pk for row in wanted[: len(shown)]]
    assert len(shown) == min(25, page.context["cl"].result_count)
