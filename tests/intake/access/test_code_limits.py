"""How often a code may be requested.

Patients who give their reference may still ask when the site's limit is reached.
"""

from collections.abc import Callable
from itertools import count

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.ids import new_reference
from clinic.models import Bucket, Message
from intake.access.code_limits import RESERVE
from intake.models.access import Challenge
from tests import builders
from tests.builders import CONTACT_DETAILS
from tests.intake.clock import pass_time, touched
from tests.intake.patient import Page, Patient
from tests.intake.questionnaire.stops import stopped, tell
from tests.intake.way_in import asking, code_in, enter, inside, letters, saved

pytestmark = pytest.mark.django_db
MAILBOX = CONTACT_DETAILS["email"]
OTHER = "somebody.else@example.org"
places = count(1)
Act = Callable[[], Page]


def afar(url: str, data: dict[str, str]) -> int:
    """Return the status of a stranger's request, from a new browser on a new network."""
    network = f"2001:db8:0:{next(places):x}::1"
    return Client().post(url, data, REMOTE_ADDR=network).status_code


def codes() -> int:
    """Return how many codes were put into the outbox."""
    return Message.objects.filter(kind="code").count()


def find(address: str = MAILBOX) -> Page:
    return Patient().post("/my/find/", {"address": address})


# --- what the person knows -----------------------------------------------------------------------


def test_made_up_numbers_with_somebodys_address_use_up_nothing_of_that_person():
    sent = builders.submission()
    _first, number = saved("about")
    for _n in range(12):
        afar("/my/", {"reference": new_reference(), "address": MAILBOX})
    letters()
    assert codes() == 0
    assert enter(asking(sent.reference), code_in(letters())).path == "/my/"
    letters()
    patient = Patient()
    patient.post("/intake/resume/", {"reference": number, "address": MAILBOX})
    assert enter(patient, code_in(letters())).path.startswith("/intake/legs/p/")
    letters()
    patient = Patient()
    patient.post("/my/find/", {"address": MAILBOX})
    assert enter(patient, code_in(letters())).path == "/my/"


@pytest.mark.parametrize("url", ["/my/", "/my/find/", "/intake/resume/"])
def test_nobody_ends_the_code_that_is_being_typed(url):
    submission = builders.submission()
    patient = asking(submission.reference)
    code = code_in(letters())
    afar(url, {"reference": submission.reference, "address": MAILBOX})
    assert enter(patient, code).path == "/my/"


def test_wrong_codes_in_another_browser_are_no_tries_of_this_one():
    submission = builders.submission()
    patient = asking(submission.reference)
    code = code_in(letters())
    for _browser in range(3):
        stranger = asking(submission.reference, OTHER)
        for _try in range(6):
            enter(stranger, "2222-2222")
    assert enter(patient, code).path == "/my/"


def test_who_has_the_number_gets_a_code_though_strangers_used_up_the_address():
    submission = builders.submission()
    told = [afar("/my/find/", {"address": MAILBOX}) for _n in range(5)]
    assert told == [302, 302, 302, 429, 429]
    assert codes() == 3
    page = find()
    assert page.status == 429
    assert "Your number is in our first message to you." in page.text
    letters()
    assert enter(asking(submission.reference), code_in(letters())).path == "/my/"


def test_one_question_gets_ten_codes_a_day():
    number, told = builders.submission().reference, []
    for _n in range(12):
        told.append(asking(number).page.status)
        pass_time(600)
    assert told == [200] * 10 + [429] * 2
    assert codes() == 10


def test_what_is_known_is_limited_like_what_is_not():
    submission = builders.submission()
    asked = [
        ("/my/", {"reference": submission.reference, "address": MAILBOX}),
        ("/my/", {"reference": submission.reference, "address": OTHER}),
        ("/my/", {"reference": new_reference(), "address": MAILBOX}),
        ("/my/find/", {"address": MAILBOX}),
        ("/my/find/", {"address": OTHER}),
    ]
    told = {str([afar(url, data) for _n in range(5)]) for url, data in asked}
    assert told == {str([302, 302, 302, 429, 429])}


@pytest.mark.parametrize("url", ["/my/", "/my/find/"])
def test_what_fits_costs_a_letter_more_than_what_does_not(url):
    submission, costs = builders.submission(), []
    for address in (OTHER, MAILBOX):
        with CaptureQueriesContext(connection) as queries:
            afar(url, {"reference": submission.reference, "address": address})
        costs.append(len(queries))
    wrong, right = costs
    # the right address costs three more queries: the message, its task, and the count of letters
    assert right - wrong == 3


# --- the whole site ------------------------------------------------------------------------------


def spend(letters_left: int) -> None:
    """Use up the site's letters: `letters_left` patients request a code without a reference."""
    for n in range(letters_left):
        address = f"p{n}@example.org"
        builders.submission({"email": address})
        assert find(address).status == 200


def test_asks_that_fit_nothing_are_no_letters_of_the_site(settings):
    settings.LIMIT_CODES_SITE, settings.LIMIT_CODES_PEER = 2, 1000
    for _n in range(10):
        assert afar("/my/", {"reference": new_reference(), "address": OTHER}) == 302
        assert afar("/my/find/", {"address": f"q{next(places)}@example.org"}) == 302
    spend(2)
    assert codes() == 2


def test_when_the_site_has_sent_its_codes_addresses_alone_wait_and_pairs_go_on(
    settings, written_log
):
    settings.LIMIT_CODES_SITE = 2
    submission, staff = builders.submission(), builders.staff_client("front desk")
    alarm = "the program reached its hourly limit of one-time codes"
    spend(2)
    assert alarm not in staff.get("/admin/intake/frontdesk/").text
    pages = [find(MAILBOX), find(OTHER)]
    assert [page.status for page in pages] == [429, 429]
    assert {page.text for page in pages} == {pages[0].text}
    letters()
    assert enter(asking(submission.reference), code_in(letters())).path == "/my/"
    assert alarm in staff.get("/admin/intake/frontdesk/").text
    assert written_log.getvalue().count('"site limit reached"') == 1
    pass_time(23 * 3600)
    assert find(MAILBOX).status == 200
    assert alarm in staff.get("/admin/intake/frontdesk/").text
    pass_time(3601)
    assert alarm not in staff.get("/admin/intake/frontdesk/").text


def test_at_the_very_end_of_the_reserve_the_right_pair_reads_whom_to_call(settings):
    settings.LIMIT_CODES_SITE, settings.LIMIT_CODES_PEER = 1, 1000
    spend(1)
    for _n in range(RESERVE):
        assert asking(builders.submission().reference).page.status == 200
    pair = builders.submission().reference
    pages = [asking(pair).page, asking(pair, OTHER).page]
    assert [page.status for page in pages] == [429, 429]
    assert {page.text for page in pages} == {pages[0].text}
    assert f"or call us at {settings.CLINIC_PHONE}" in pages[0].text
    pass_time(int(pages[0].response["Retry-After"]))
    assert asking(pair).page.status == 200


# --- when to try again ---------------------------------------------------------------------------


def starting() -> Act:
    return lambda: Patient().post("/intake/", {"go": "start"})


def adding() -> Act:
    patient = inside(builders.submission())
    return lambda: patient.post("/my/add/", {})


def sending() -> Act:
    patient = Patient()
    patient.jump_to("check")
    return patient.send


def saving() -> Act:
    patient = Patient()
    patient.jump_to("mood")
    return lambda: patient.post("/intake/save/", {"address": MAILBOX})


def telling() -> Act:
    patient = stopped()
    return lambda: tell(patient)


def replying() -> Act:
    patient = inside(builders.submission())
    return lambda: patient.post("/my/reply/", {"text": f"Hello {next(places)}"})


def asking_with_a_number() -> Act:
    return lambda: asking(new_reference()).page


def asking_for_more() -> Act:
    patient = asking(new_reference())
    letters()
    return lambda: patient.post("/my/code/", {"go": "again"})


def trying() -> Act:
    patient = asking(new_reference())
    Challenge.objects.all().delete()
    return lambda: enter(patient, "2222-2222")


@pytest.mark.parametrize(
    ("limit", "door"),
    [
        ("LIMIT_INTAKE_STARTS", starting),
        ("LIMIT_INTAKE_STARTS", adding),
        ("LIMIT_INTAKE_SENDS", sending),
        ("LIMIT_INTAKE_SENDS", saving),
        ("LIMIT_INTAKE_SENDS", telling),
        ("LIMIT_INTAKE_SENDS", replying),
        ("LIMIT_CODES_PEER", asking_with_a_number),
        ("LIMIT_CODES_PEER", lambda: find),
        ("LIMIT_CODES_PEER", asking_for_more),
        ("LIMIT_CODES_SITE", lambda: find),
        ("LIMIT_TRIES_PEER", trying),
        ("", lambda: find),  # without a setting: one address may request three codes
    ],
)
def test_each_door_says_when_it_opens_again(limit, door, settings):
    builders.submission()
    acts = [door() for _n in range(6)]
    Bucket.objects.all().delete()
    if limit:
        setattr(settings, limit, 2)
    told = [acts.pop()() for _n in range(2 if limit else 3)]
    assert 429 not in [page.status for page in told]
    touched(0)
    page = acts.pop()()
    assert page.status == 429
    seconds = int(page.response["Retry-After"])
    assert seconds > 60
    minutes = -(-seconds // 60)
    if "too many tries" in page.text:
        assert f"try again in {minutes} minutes" in page.text
    touched(seconds - 1)
    assert acts.pop()().status == 429
    touched(seconds)
    assert acts.pop()().status != 429
