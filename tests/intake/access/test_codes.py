"""One-time codes: which patients a code lets in, and what a stranger learns by asking."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from clinic.ids import new_reference
from clinic.models import Message
from intake.access.keys import digest
from intake.models.access import Challenge, Grant
from intake.models.submissions import Communication, Draft, Submission
from intake.my_page import replies
from tests import builders
from tests.desk import Trail
from tests.intake.clock import pass_time
from tests.intake.patient import Page, Patient
from tests.intake.way_in import MAILBOX, OTHER, asking, code_in, enter, inside, letters, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]


# --- the code ------------------------------------------------------------------------------------


def test_a_code_opens_the_page_of_what_was_sent_and_says_so_by_mail():
    submission, trail = builders.submission(), Trail()
    letters()
    patient = inside(submission)
    assert submission.reference in patient.page.text
    assert "We have your request. No one has read it yet." in patient.page.text
    assert "Your request was opened just now" in "".join(letters())
    (event,) = trail.events(action="login")
    assert (event.actor, event.subject) == (
        f"patient:{submission.reference}",
        str(submission.pk),
    )


@pytest.mark.parametrize("form", ["{}", "  {} ", "{}\n"])
def test_a_code_may_be_pasted_in_any_form(form):
    patient = asking(builders.submission().reference)
    code = code_in(letters())
    for spelled in (form.format(code.lower().replace("-", " ")),):
        assert enter(patient, spelled).path == "/my/"


def test_a_used_code_opens_nothing_again():
    patient = asking(builders.submission().reference)
    key, code = patient.client.cookies[site.RETURN_COOKIE_NAME].value, code_in(letters())
    enter(patient, code)
    thief = Patient()
    thief.client.cookies[site.RETURN_COOKIE_NAME] = key
    assert enter(thief, code).status == 422


def test_a_code_works_only_in_the_browser_that_asked():
    submission = builders.submission()
    asking(submission.reference)
    code = code_in(letters())
    other = asking(submission.reference, OTHER)
    assert enter(other, code).status == 422
    assert not Grant.objects.exists()
    stranger = Patient()
    assert enter(stranger, code).path == "/my/"
    assert not Grant.objects.exists()


def test_a_late_code_is_refused_and_a_new_one_is_a_button_away():
    patient = asking(builders.submission().reference)
    old = code_in(letters())
    Challenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert enter(patient, old).status == 422
    patient.post("/my/code/", {"go": "again"})
    new = code_in(letters())
    assert enter(patient, old).status == 422
    assert enter(patient, new).path == "/my/"


def test_a_new_code_in_the_same_browser_takes_the_place_of_the_old_one():
    submission = builders.submission()
    patient = asking(submission.reference)
    old = code_in(letters())
    asking(submission.reference, client=patient.client)
    assert enter(patient, old).status == 422
    assert enter(patient, code_in(letters())).path == "/my/"


@pytest.mark.parametrize("first", range(3))
def test_three_browsers_have_a_code_each_and_the_first_that_is_entered_ends_the_others(first):
    submission, asked = builders.submission(), []
    for _n in range(3):
        patient = asking(submission.reference)
        asked.append((patient, code_in(letters())))
    assert asking(submission.reference).page.status == 429
    patient, code = asked.pop(first)
    assert enter(patient, code).path == "/my/"
    for patient, code in asked:
        assert enter(patient, code).status == 422
    assert Grant.objects.count() == 1


def test_a_code_that_another_browser_made_needless_is_not_mailed():
    submission = builders.submission()
    patient = asking(submission.reference)
    code = code_in(letters())
    asking(submission.reference)
    enter(patient, code)
    (text,) = letters()
    assert "Your request was opened just now" in text


def test_five_wrong_codes_end_it():
    patient = asking(builders.submission().reference)
    code = code_in(letters())
    for _try in range(5):
        page = enter(patient, "2222-2222")
        assert page.errors
        assert page.status == 422
    assert enter(patient, code).status == 422
    assert Challenge.objects.get().tries == 5


@pytest.mark.parametrize("code", ["", "x" * 5000, "\u0000", "é́", "💊" * 8, "----", "222"])
def test_nonsense_for_a_code_is_a_sentence(code):
    patient = asking(builders.submission().reference)
    page = patient.post("/my/code/", {"code": code})
    assert page.status in (400, 422)
    assert not Grant.objects.exists()


def test_the_code_goes_to_the_stored_address_never_to_the_one_typed():
    # the typed address begins with a Kelvin sign, which Unicode folds to a k
    submission = builders.submission({"email": "kim@example.org"})
    asking(submission.reference, "\u212aim@example.org")
    addressed = [text for text in letters() if "code" in text]
    assert all("['kim@example.org']" in text for text in addressed)


def test_an_expired_code_is_dropped_not_sent():
    asking(builders.submission().reference)
    Message.objects.filter(kind="code").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not any("Your code" in text for text in letters())
    assert Message.objects.get(kind="code").payload is None


def test_a_code_is_stored_by_a_hash_that_is_slow_to_guess(monkeypatch):
    """A code of eight symbols has only 38 bits, so each guess has to be expensive.

    A guess costs scrypt with 8 MB and 8192 rounds, and needs a key that is not in the database.
    """
    given = []

    def scrypt(secret: bytes, **cost: Any) -> bytes:
        given.append(cost)
        return secret

    monkeypatch.setattr("hashlib.scrypt", scrypt)
    asking(builders.submission().reference)
    challenge = Challenge.objects.get()
    assert given == [{"salt": challenge.id.bytes, "n": 2**13, "r": 8, "p": 1, "dklen": 32}]


# --- nobody learns who is a patient --------------------------------------------------------------


def told(page: Page) -> tuple:
    body = re.sub(r'value="[A-Za-z0-9]{64}"', "", page.html)
    headers = sorted(name for name in page.response.headers if name != "X-Request-ID")
    return page.path, page.status, body, headers


def test_known_and_unknown_pairs_get_the_same_answers():
    known = [builders.submission({"email": f"p{n}@example.org"}) for n in range(40)]
    letters()
    answers = set()
    for number, submission in enumerate(known):
        for address in (f"p{number}@example.org", f"q{number}@example.org"):
            patient = asking(submission.reference, address)
            answers.add(str(told(patient.page)))
    assert len(answers) == 1
    assert Challenge.objects.count() == 80
    assert len(letters()) == 40


def test_wrong_codes_for_known_and_unknown_pairs_get_the_same_answers():
    submission = builders.submission()
    answers = set()
    for address in (MAILBOX, OTHER):
        patient = asking(submission.reference, address)
        answers |= {str(told(enter(patient, "2222-2222"))) for _try in range(6)}
    assert len(answers) == 1


def test_finding_by_address_alone_answers_the_same():
    builders.submission()
    letters()
    pages = set()
    for address in (MAILBOX, OTHER):
        patient = Patient()
        patient.post("/my/find/", {"address": address})
        pages.add(str(told(patient.page)))
    assert len(pages) == 1
    assert len(letters()) == 1


def test_one_mailbox_of_several_people_lists_numbers_and_dates_alone():
    mine = [builders.submission({"name": name}) for name in ("Ann Canary", "Bob Canary")]
    letters()
    patient = Patient()
    patient.post("/my/find/", {"address": MAILBOX})
    page = enter(patient, code_in(letters()))
    assert all(submission.reference in page.text for submission in mine)
    assert "Canary" not in page.text
    page = patient.post("/my/choose/", {"reference": mine[1].reference})
    assert mine[1].reference in page.text
    assert mine[0].reference not in page.text
    page = patient.post("/my/choose/", {"reference": "all"})
    assert mine[1].reference in page.text


def test_another_persons_number_opens_nothing_in_ones_own_window():
    mine, other = builders.submission(), builders.submission({"email": OTHER})
    patient = inside(mine)
    for url in ("/my/", "/my/withdraw/"):
        page = patient.get(f"{url}?reference={other.reference}&id={other.pk}")
        assert other.reference not in page.text
    patient.post("/my/withdraw/", {"reference": other.reference, "submission": str(other.pk)})
    patient.post("/my/choose/", {"reference": other.reference})
    assert mine.reference in patient.page.text
    assert Submission.objects.get(pk=other.pk).status == "new"


@pytest.mark.parametrize(
    ("field", "theirs", "mine"),
    [
        # the search folds both addresses to kim@strasse.example, but each domain has its own owner
        ("email", "kim@strasse.example", "kim@stra\u00dfe.example"),
        # a number in London that ends with all ten digits of a number in Washington
        ("callback_phone", "+12025550147", "+442025550147"),
        ("callback_phone", "+13125550148", "+493125550148"),
    ],
)
def test_an_address_that_only_looks_alike_opens_nothing_of_its_neighbour(
    field, theirs, mine, capsys
):
    nobody = {"email": "", "prefer": "text"}
    other = builders.submission(nobody | {field: theirs})
    own = builders.submission(nobody | {field: mine})
    letters()
    capsys.readouterr()
    for typed in (mine, theirs):
        patient = Patient()
        patient.post("/my/find/", {"address": typed})
        sent = "\n".join([*letters(), capsys.readouterr().out])
        wanted, unwanted = (own, other) if typed == mine else (other, own)
        assert (typed in sent) or not sent.strip()
        page = enter(patient, code_in([sent]))
        assert wanted.reference in page.text
        assert unwanted.reference not in page.text


# --- limits --------------------------------------------------------------------------------------


def test_asking_too_often_keeps_what_was_typed_and_shows_the_phone(settings):
    settings.LIMIT_CODES_PEER = 2
    reference = builders.submission().reference
    for _n in range(2):
        asking(reference, OTHER)
    page = asking(reference, OTHER).page
    assert page.status == 429
    assert page.form.values["address"] == [OTHER]
    assert page.response["Retry-After"]
    assert any(href.startswith("tel:") for href, _text in page.links)


def test_a_new_code_for_the_same_question_counts_as_asking():
    patient = asking(builders.submission().reference)
    told = [patient.post("/my/code/", {"go": "again"}).status for _n in range(4)]
    assert told == [200, 200, 429, 429]
    assert any(href.startswith("tel:") for href, _text in patient.page.links)


def test_a_phone_is_one_mailbox_whatever_extension_is_typed():
    number = builders.submission({"email": ""}).reference
    told = [asking(number, f"202-555-0147 x{n}").page.status for n in range(4)]
    assert told == [200, 200, 200, 429]


def test_a_few_messages_go_to_one_mailbox_however_many_save_with_it_and_all_are_saved():
    for _n in range(4):
        patient = Patient()
        patient.start()
        page = patient.post("/intake/save/", {"address": MAILBOX})
        assert page.status == 200
        assert Draft.objects.get(key_hash=digest(patient.key)).reference in page.text
    assert "Please also write it down" in page.text
    assert sum("How to continue" in text for text in letters()) == 3


def test_what_was_saved_without_a_message_is_mailed_the_next_time():
    for _n in range(3):
        saved("about")
        Draft.objects.all().delete()
    patient, number = saved("about")
    letters()
    patient.post("/intake/save/", {"address": MAILBOX})
    assert letters() == []
    pass_time(3600)
    patient.post("/intake/save/", {"address": MAILBOX})
    (text,) = letters()
    assert number in text


def test_what_is_sent_again_and_again_is_kept_and_confirmed_a_few_times_alone(settings):
    settings.APPOINTMENT_OPEN_REQUESTS = 10
    for _n in range(4):
        patient = Patient()
        assert patient.whole_journey("/appointments/").step == "sent"
    assert Submission.objects.count() == 4
    assert sum("Your request to" in text for text in letters()) == 3


def test_trying_codes_has_a_limit_of_its_own(settings):
    settings.LIMIT_TRIES_PEER = 1
    patient = asking(builders.submission().reference)
    told = [enter(patient, "2222-2222").status for _n in range(6)]
    assert told == [422] * 5 + [429]
    assert patient.page.form.values["code"] == ["2222-2222"]


def test_a_neighbour_on_the_network_uses_up_no_tries_of_a_code_that_was_asked_for(settings):
    settings.LIMIT_TRIES_PEER = 5
    patient = asking(builders.submission().reference)
    code, stranger = code_in(letters()), asking(new_reference())
    told = [enter(stranger, "2222-2222").status for _n in range(7)]
    assert told[-1] == 429
    assert enter(patient, code).path == "/my/"


# --- mail ----------------------------------------------------------------------------------------


def test_nothing_changes_by_opening_the_links_of_any_mail_ten_times():
    submission = builders.submission()
    _patient, _number = saved("about", OTHER)
    asking(submission.reference)
    replies.reply(submission=submission, text="Hello")
    texts = letters()
    urls = set(re.findall(r"https?://\S+", "\n".join(texts)))
    assert len(urls) >= 2

    def counts() -> list:
        rows = [m.objects.count() for m in (Submission, Draft, Challenge, Grant, Communication)]
        return [*rows, *Challenge.objects.values_list("tries", "used_at")]

    before = counts()
    for url in urls:
        path = url.removeprefix(site.SITE_ORIGIN)
        assert re.fullmatch(r"/[a-z/-]*", path), path
        for method in ("get", "head", "options"):
            for _n in range(10):
                getattr(Client(), method)(path)
    assert counts() == before


def test_no_page_of_the_return_names_a_record_in_its_address():
    from intake.urls import urlpatterns

    for pattern in urlpatterns:
        assert "<uuid" not in str(pattern.pattern)
        # besides the protocol, an address has at most one part that varies, such as a step
        named = re.findall(r"<([^>]+)>", str(pattern.pattern))
        assert len(set(named) - {"slug:protocol"}) <= 1


def test_who_gave_no_mailbox_may_get_the_code_on_the_phone(capsys):
    submission = builders.submission({"email": ""})
    letters()
    patient = asking(submission.reference, "(202) 555-0147")
    assert letters() == []
    printed = capsys.readouterr().out
    assert "Text message to +12025550147" in printed
    assert enter(patient, code_in([printed])).path == "/my/"


def test_where_no_text_messages_are_sent_a_phone_number_is_not_asked_for(settings):
    settings.SMS_BACKEND = ""
    page = asking(builders.submission().reference, "(202) 555-0147").page
    assert page.status == 422
    assert "Enter an e-mail address." in page.text
