"""Every staff page shows messages that do not go out, until a member of staff deals with them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import limits
from clinic.models import Message
from clinic.outgoing import outbox, oversight
from tests import builders
from tests.desk import Trail, cells, waiting, words

pytestmark = pytest.mark.django_db
LIST = "/admin/clinic/message/"
FAILED = "A message could not be sent."
LATE = "Messages are not going out"
RAN_OUT = "the program reached its hourly limit of one-time codes"
PLACES = {
    "clinician": "/admin/intake/submission/",
    "duty": "/admin/intake/submission/",
    "front desk": "/admin/intake/frontdesk/",
    "auditor": "/admin/clinic/event/",
}


@pytest.fixture
def failed() -> Message:
    waiting("Quentin Canary")
    Message.objects.update(state="failed", error="smtp 550", attempts=3, finished_at=timezone.now())
    return Message.objects.get()


def press(client, message: Message, button: str):
    return client.post(f"{LIST}{message.pk}/{button}/", follow=True)


@pytest.mark.parametrize("role", PLACES)
def test_what_failed_is_said_on_every_page(role, failed):
    assert FAILED in words(builders.staff_client(role).get(PLACES[role]))


@pytest.mark.parametrize("role", PLACES)
def test_a_message_long_due_is_said_on_every_page(role):
    waiting()
    client = builders.staff_client(role)
    assert LATE not in words(client.get(PLACES[role]))

    # a failed message that the worker will try again later also counts as late
    late, later = (timezone.now() + timedelta(minutes=m) for m in (-16, 30))
    Message.objects.update(due_at=late, next_at=later, attempts=4)
    assert LATE in words(client.get(PLACES[role]))


def test_what_waits_for_its_time_is_no_trouble():
    waiting()
    later = timezone.now() + timedelta(days=3)
    Message.objects.update(due_at=later, next_at=later, created_at=later - timedelta(days=4))

    assert oversight.trouble() == oversight.Trouble()


@pytest.mark.parametrize("role", PLACES)
def test_codes_that_ran_out_are_said_on_every_page(role):
    client = builders.staff_client(role)
    assert RAN_OUT not in words(client.get(PLACES[role]))

    limits.sound_alarm()
    assert RAN_OUT in words(client.get(PLACES[role]))


def test_others_hear_nothing_of_it(failed):
    assert FAILED not in words(builders.staff_client("administrator").get("/admin/auth/user/"))


@pytest.mark.parametrize("role", PLACES)
def test_saying_so_is_one_query(role, failed):
    client = builders.staff_client(role)
    with CaptureQueriesContext(connection) as queries:
        client.get(PLACES[role])

    assert len([q for q in queries if "clinic_message" in q["sql"]]) == 1


def test_the_list_says_which_and_why_and_holds_no_address(failed):
    trail = Trail()
    page = builders.staff_client("front desk").get(LIST)

    assert cells(page, "what") == ["Confirmation"]
    assert cells(page, "error") == ["smtp 550"]
    assert len(cells(page, "about")[0]) == 9  # a reference has nine characters
    assert b"anary" not in page.content
    (event,) = trail.of(page)
    assert (event.action, event.detail) == ("list", {"page": "message", "count": 1})


def test_the_list_says_the_lane_and_what_the_provider_reported(failed):
    Message.objects.update(delivery="undelivered", delivery_trouble="bounced")
    page = builders.staff_client("front desk").get(LIST)

    assert cells(page, "lane") == ["Ordinary"]
    assert cells(page, "delivered") == ["Not delivered (bounced)"]


def test_ten_thousand_messages_are_as_quick_as_one(failed):
    client = builders.staff_client("front desk")

    def queries(address):
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return found

    first = len(queries(LIST))
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into clinic_message (id, kind, occasion, state, attempts, error) select"
            " gen_random_uuid(), 'x', n, case when n % 2 = 0 then 'sent' else 'failed' end, 0, ''"
            " from generate_series(1, 10000) n"
        )
        cursor.execute("analyze clinic_message")
    for address in (LIST, f"{LIST}?state=failed", f"{LIST}?state=waiting"):
        found = queries(address)
        assert len(found) <= first
        assert sum(float(query["time"]) for query in found) < 0.5


def test_trying_again_sends_it_and_is_written_down(failed, mailoutbox):
    trail = Trail()
    page = press(builders.staff_client("front desk"), failed, "again")

    assert FAILED not in words(page)
    outbox.deliver_due()
    assert len(mailoutbox) == 1
    (event,) = trail.events(subject=str(failed.pk))
    assert event.action == "state"
    assert event.detail == {"kind": "confirmation", "from": "failed", "to": "waiting"}


def test_what_was_dealt_with_is_not_sent(failed, mailoutbox):
    trail = Trail()
    press(builders.staff_client("clinician"), failed, "aside")
    outbox.deliver_due()

    assert not mailoutbox
    assert Message.objects.get().state == "dropped"
    (event,) = trail.events(subject=str(failed.pk))
    assert event.detail["to"] == "dropped"


def test_the_second_of_two_is_told_so(failed):
    press(builders.staff_client("clinician"), failed, "aside")
    page = press(builders.staff_client("front desk"), failed, "again")

    assert "Somebody has dealt with this message already." in words(page)
    assert Message.objects.get().state == "dropped"


def test_an_auditor_looks_and_has_no_buttons(failed):
    page = builders.staff_client("auditor").get(LIST)

    assert "Try again" not in words(page)
    assert "Try again" in words(builders.staff_client("clinician").get(LIST))


def test_a_message_that_lost_its_payload_is_left_to_its_composer(failed):
    Message.objects.update(kind="of-tomorrow")
    press(builders.staff_client("clinician"), failed, "again")
    outbox.deliver_due()

    message = Message.objects.get()
    assert (message.state, message.attempts, message.payload) == ("waiting", 1, None)


def test_readiness_tells_of_the_queue_and_stays_ready(client):
    waiting()
    assert client.get("/readyz").json()["queue"] is True
    Message.objects.update(due_at=timezone.now() - timedelta(minutes=16))
    answer = client.get("/readyz")

    assert answer.json()["queue"] is False
    assert answer.status_code == 200
