"""A stranger cannot keep a patient from coming back.

A patient with the right reference and mailbox always gets a code.

The stranger knows the mailbox or the reference, but not that they belong together. The stranger
sends forms and saves answers in the patient's name, from any number of browsers and networks,
before the patient asks for a code and while the patient types the code. The stranger never uses the
patient's network, because a person who asks too often makes the whole network wait
(docs/decisions/0013).
"""

from itertools import count
from typing import Any

from django.conf import settings as site
from django.core import mail
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clinic.ids import new_reference
from clinic.models import Message
from clinic.outgoing import outbox
from intake.access.keys import digest
from intake.models.access import Challenge
from intake.questionnaire import answering
from tests import builders
from tests.builders import CONTACT_DETAILS
from tests.examples import examples
from tests.intake.clock import pass_time
from tests.intake.patient import Page, Patient

MAILBOX = CONTACT_DETAILS["email"]
OTHER = "somebody.else@example.org"
CODE_LIVES = 600


class Stranger:
    """A stranger with three browsers, on one network or on a new network for each request."""

    def __init__(self, reference: str) -> None:
        # the patient's reference; the stranger does not know the patient's mailbox
        self.reference = reference
        self.browsers = [Client() for _n in range(3)]
        self.own: list[str] = []  # references of forms sent or saved in the patient's name
        self.places = count(1)

    def post(self, browser: int, url: str, data: dict[str, Any], *, far: bool) -> int:
        place = next(self.places) if far else 0
        address = f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}"
        return self.browsers[browser].post(url, data, REMOTE_ADDR=address).status_code

    def act(self, what: str, browser: int, url: str, far: bool) -> None:
        if what == "made-up":
            asked = {"reference": new_reference(), "address": MAILBOX}
        elif what == "number":
            asked = {"reference": self.reference, "address": OTHER}
        elif what == "find":
            url, asked = "/my/find/", {"address": MAILBOX}
        elif what == "again":
            url, asked = "/my/code/", {"go": "again"}
        elif what == "guess":
            url, asked = "/my/code/", {"code": "2222-2222", "go": "enter"}
        elif what == "send":
            self.own.append(builders.submission({"name": "Somebody Else"}).reference)
            return
        elif what == "save":
            draft, _key = builders.draft({"name": "Somebody Else"})
            answering.save_for_later(draft=draft, address=MAILBOX)
            draft.refresh_from_db()
            self.own.append(draft.reference)
            return
        else:
            asked = {"reference": self.own[-1], "address": MAILBOX} if self.own else {}
        assert self.post(browser, url, asked, far=far) < 500


act = st.tuples(
    st.sampled_from(["made-up", "number", "find", "again", "guess", "send", "save", "own"]),
    st.integers(0, 2),
    st.sampled_from(["/my/", "/intake/resume/"]),
    st.booleans(),
)
times, pauses = st.sampled_from([1, 3, 12]), st.sampled_from([0, 0, 60, 299])
acts = st.lists(st.tuples(act, times, pauses), max_size=4)


def often(what: str, times: int = 12) -> Any:
    return ((what, 0, "/my/", True), times, 0)


def let(stranger: Stranger, what: list[Any], most: float) -> None:
    """Let the stranger do the acts in `what`, while at most `most` seconds pass in all."""
    for one, times, pause in what:
        for _n in range(times):
            stranger.act(*one)
        pass_time(min(pause, most))
        most -= min(pause, most)


def code_for(patient: Patient) -> str:
    """Return the code that was mailed to the patient for this browser."""
    key = patient.client.cookies[site.RETURN_COOKIE_NAME].value
    challenge = Challenge.objects.get(browser_hash=digest(key))
    letter = Message.objects.get(kind="code", occasion=str(challenge.pk))
    code = letter.payload["code"]
    mail.outbox.clear()
    outbox.deliver_due()
    assert any(letter.to == [MAILBOX] and code in letter.body for letter in mail.outbox)
    return code


def opened(page: Page, reference: str, saved: bool) -> bool:
    if saved:
        return page.status == 200 and page.path.startswith("/intake/")
    return page.path == "/my/" and reference in page.text


@override_settings(LIMIT_CODES_SITE=5)
class TestStrangers(TestCase):
    @hypothesis(
        max_examples=examples(8),
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],  # not Phase.shrink, which takes minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.booleans(), st.sampled_from(["/my/", "/intake/resume/"]), acts, acts, acts)
    @example(False, "/my/", [often("made-up"), often("number")], [], [])
    @example(False, "/my/", [often("find"), often("send", 1), often("own")], [], [])
    @example(True, "/intake/resume/", [], [often("find", 1), often("guess")], [often("find", 1)])
    def test_no_requests_of_a_stranger_make_the_right_pair_fail(
        self, saved, way, before, between, after
    ):
        if saved:
            draft, _key = builders.draft()
            reference = answering.save_for_later(draft=draft, address=MAILBOX)
        else:
            reference = builders.submission().reference
        stranger, patient = Stranger(reference), Patient()
        let(stranger, before, 86_400)
        page = patient.post(way, {"reference": reference, "address": MAILBOX})
        assert (page.status, page.path) == (200, "/my/code/")
        let(stranger, between, CODE_LIVES / 2)
        code = code_for(patient)
        let(stranger, after, CODE_LIVES / 2 - 60)  # the test itself may take the last minute
        page = patient.post("/my/code/", {"code": code, "go": "enter"})
        assert opened(page, reference, saved), (page.path, page.status, page.errors)
