"""Saved answers, one-time codes, and the patient's own page."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from clinic.ids import new_reference
from clinic.models import Message
from clinic.outgoing import outbox
from intake.access.keys import digest
from intake.models.access import Challenge, Grant
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Communication, Draft, Kind, Submission, Urgency
from intake.my_page import replies
from intake.protocols import current
from intake.questionnaire import drafts
from tests import builders
from tests.builders import CONTACT_DETAILS
from tests.intake.clock import pass_time
from tests.intake.patient import Page, Patient, step_url
from tests.staff.desk import Trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy")]
MAILBOX = CONTACT_DETAILS["email"]
OTHER = "somebody.else@example.org"


@pytest.fixture
def roomy(settings):
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000
    settings.LIMIT_INTAKE_STARTS = settings.LIMIT_INTAKE_SENDS = 1_000_000


def letters() -> list[str]:
    """The texts of all mails there are to send now."""
    mail.outbox.clear()
    outbox.deliver_due()
    return [f"{letter.to} {letter.subject}\n{letter.body}" for letter in mail.outbox]


def code_in(texts: list[str]) -> str:
    (code,) = re.findall(r"Your code: (\S+)", "\n".join(texts))
    return code


def asking(reference: str, address: str = MAILBOX, client: Client | None = None) -> Patient:
    """Somebody who has just asked for a code."""
    patient = Patient(client=client)
    patient.get("/my/")
    patient.post("/my/", {"reference": reference, "address": address, "go": "send"})
    return patient


def enter(patient: Patient, code: str) -> Page:
    return patient.post("/my/code/", {"code": code, "go": "enter"})


def inside(submission: Submission) -> Patient:
    """The patient, on the page of the submission."""
    patient = asking(submission.reference)
    page = enter(patient, code_in(letters()))
    assert page.path == "/my/"
    return patient


def saved(step: str, address: str = MAILBOX, **says) -> tuple[Patient, str]:
    """A patient who saved at a step; with the number given."""
    patient = Patient(**says)
    patient.start()
    patient.walk_to(step)
    patient.press("save", patient.filled())
    page = patient.post("/intake/save/", {"address": address, "go": "save"})
    assert page.status == 200, page.errors
    return patient, Draft.objects.get(submission=None).reference


# --- save and come back later --------------------------------------------------------------------


@pytest.mark.parametrize("step", ["safety", "reason", "rls-4", "contact", "appointment"])
def test_answers_saved_in_one_browser_are_finished_in_another(step):
    first, number = saved(step)
    assert number in first.page.text
    (text,) = letters()
    assert number in text
    second = Patient()
    second.get("/intake/resume/")
    second.post("/intake/resume/", {"reference": number.lower(), "address": MAILBOX.upper()})
    page = enter(second, code_in(letters()))
    assert page.step == (drafts.walk_of(Draft.objects.get()).first_open or "check")
    second.walk_to("check")
    second.send()
    assert Submission.objects.get().reference == number
    # the browser that began it has lost it
    assert first.get("/intake/check/").path == "/intake/"


def test_who_owns_the_mailbox_hears_that_saved_answers_were_opened():
    _first, number = saved("reason")
    letters()
    second = asking(number)
    enter(second, code_in(letters()))
    (text,) = letters()
    assert MAILBOX in text
    assert "opened just now" in text


def test_what_was_ticked_on_the_unfinished_page_is_saved_too():
    patient = Patient()
    patient.start()
    patient.walk_to("about")
    patient.press("save", {"who": "self", "age_years": "nonsense"})
    assert patient.page.path == "/intake/save/"
    assert patient.draft.content["answers"] == {"em_now": ["none"], "who": "self"}


def test_an_emergency_is_not_saved_for_later():
    patient = Patient()
    patient.start()
    patient.press("save", {"em_now": "chest_or_breath"})
    assert patient.page.red_card


def test_a_contact_half_typed_is_there_again():
    patient = Patient()
    patient.start()
    patient.walk_to("contact")
    patient.press("save", {"name": "Quentin", "callback_phone": "202-555-01"})
    patient.get(step_url("contact"))
    assert patient.page.form.values["name"] == ["Quentin"]
    assert patient.page.form.values["callback_phone"] == ["202-555-01"]
    assert "consent" not in patient.page.form.values
    assert patient.answer().step == "appointment"
    assert "typed" not in patient.draft.content


def test_saving_twice_tells_the_number_once():
    patient, number = saved("about")
    patient.post("/intake/save/", {"address": MAILBOX, "go": "save"})
    assert number in patient.page.text
    assert len(letters()) == 1


@pytest.mark.parametrize("address", ["", "nobody", "a@b", '"x"@example.org', "a@example.org\0"])
def test_an_address_that_takes_no_mail_is_asked_for_again(address):
    patient = Patient()
    patient.start()
    patient.get("/intake/save/")
    page = patient.post("/intake/save/", {"address": address})
    assert page.status in (400, 422)
    assert not Message.objects.exists()


def test_a_browser_that_lies_idle_finds_nothing_but_the_way_back():
    patient, _number = saved("about")
    idle = timezone.now() - timedelta(hours=site.DRAFT_OWN_HOURS, seconds=1)
    Draft.objects.update(updated_at=idle)
    page = patient.post(step_url("about"), {"who": "self"})
    assert page.status == 410
    assert page.links_to("/intake/resume/")


def test_saved_answers_end_after_their_days_and_no_code_opens_them():
    _patient, number = saved("about")
    letters()
    trail = Trail()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=site.DRAFT_DAYS, minutes=1))
    call_command("prune")
    assert not Draft.objects.exists()
    (event,) = trail.events(actor="system:prune")
    assert (event.action, event.detail) == ("erase", {"kind": "draft", "count": 1})
    asking(number)
    assert letters() == []


def test_the_way_back_leads_to_the_first_open_page_of_the_route_as_it_is_now():
    _first, number = saved("veins")
    draft = Draft.objects.get()
    content = draft.content
    del content["answers"]["main_reason"]
    draft.content = content
    draft.save(update_fields=["content"])
    letters()
    second = asking(number)
    assert enter(second, code_in(letters())).step == "reason"


def test_answers_that_were_never_saved_are_opened_by_nobody_who_reads_the_mailbox():
    patient = Patient()
    patient.start()
    patient.walk_to("appointment")
    stranger = Patient()
    for url in ("/my/find/", "/intake/resume/"):
        stranger.post(url, {"address": MAILBOX, "reference": "7F3K-92QD"})
    assert letters() == []
    patient.post("/intake/save/", {"address": OTHER})
    letters()
    stranger.post("/my/find/", {"address": MAILBOX})
    assert "Your code" in "".join(letters())


# --- the code ------------------------------------------------------------------------------------


def test_a_code_opens_the_page_of_what_was_sent_and_says_so_by_mail():
    submission, trail = builders.submission(), Trail()
    letters()
    patient = inside(submission)
    assert submission.reference in patient.page.text
    assert "We have your request. Nobody has read it yet." in patient.page.text
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
    # with a Kelvin sign for the k, which folds to a k
    submission = builders.submission({"email": "kim@example.org"})
    asking(submission.reference, "\u212aim@example.org")
    addressed = [text for text in letters() if "code" in text]
    assert all("['kim@example.org']" in text for text in addressed)


def test_an_expired_code_is_dropped_not_sent():
    asking(builders.submission().reference)
    Message.objects.filter(kind="code").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not any("Your code" in text for text in letters())
    assert Message.objects.get(kind="code").payload is None


# --- nobody learns who is a patient --------------------------------------------------------------


def told(page: Page) -> tuple:
    body = re.sub(r'value="[A-Za-z0-9]{64}"', "", page.html)
    headers = sorted(name for name in page.response.headers if name != "X-Request-ID")
    return page.path, page.status, body, headers


def test_200_known_and_200_unknown_pairs_get_the_same_answers():
    known = [builders.submission({"email": f"p{n}@example.org"}) for n in range(200)]
    letters()
    answers = set()
    for number, submission in enumerate(known):
        for address in (f"p{number}@example.org", f"q{number}@example.org"):
            patient = asking(submission.reference, address)
            answers.add(str(told(patient.page)))
    assert len(answers) == 1
    assert Challenge.objects.count() == 400
    assert len(letters()) == 200


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
        # folded for the search, both are kim@strasse.example: two domains, two owners
        ("email", "kim@strasse.example", "kim@stra\u00dfe.example"),
        # a London number that ends like one in Washington
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
    assert "Please write it down, too" in page.text
    assert sum("How to go on" in text for text in letters()) == 3


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


# --- the page ------------------------------------------------------------------------------------


def test_the_page_never_shows_an_answer_or_who_it_is():
    submission = builders.submission(reason_text="CANARY words")
    page = inside(submission).page
    for told_before in ("CANARY", "Quentin", MAILBOX, "555-0147", "1982", "restless"):
        assert told_before not in page.html


def test_it_says_who_opened_it_by_role():
    submission = builders.submission()
    client = builders.staff_client("clinician")
    client.get(f"/admin/intake/submission/{submission.pk}/change/")
    client.get(f"/admin/intake/submission/{submission.pk}/change/")
    page = inside(submission).page
    assert page.text.count("A clinician, ") == 1
    assert "clinician@" not in page.text


def test_without_a_grant_every_page_asks_for_a_code():
    for url in ("/my/withdraw/", "/my/reply/", "/my/code/"):
        assert Patient().get(url).path == "/my/"
    for url in ("/my/add/", "/my/withdraw/", "/my/choose/"):
        assert Patient().post(url, {"text": "x"}).path == "/my/"
    assert Patient().post("/my/reply/", {"text": " "}).path == "/my/"


def test_what_was_written_on_a_page_that_closed_meanwhile_is_given_back():
    patient = inside(builders.submission())
    Grant.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
    page = patient.post("/my/reply/", {"text": "It took me an hour to find the paper."})
    assert page.status == 403
    assert "Your message was not sent" in page.text
    assert "It took me an hour to find the paper." in page.html
    assert not Communication.objects.exists()


def test_the_way_in_ends_after_half_an_hour_and_after_leaving():
    submission = builders.submission()
    patient = inside(submission)
    Grant.objects.update(seen_at=timezone.now() - timedelta(minutes=31))
    assert submission.reference not in patient.get("/my/").text
    patient = inside(submission)
    Grant.objects.update(created_at=timezone.now() - timedelta(hours=2, minutes=1))
    assert submission.reference not in patient.get("/my/").text
    patient = inside(submission)
    patient.post("/my/leave/", {})
    assert submission.reference not in patient.get("/my/").text


def test_each_look_keeps_the_way_in_open():
    patient = inside(builders.submission())
    ago = timezone.now() - timedelta(minutes=20)
    Grant.objects.update(seen_at=ago)
    patient.get("/my/")
    assert Grant.objects.get().seen_at > ago + timedelta(minutes=19)


def test_withdrawing_asks_once_and_is_the_same_as_withdrawing_twice():
    submission = builders.submission()
    patient = inside(submission)
    assert submission.reference in patient.get("/my/withdraw/").text
    assert Submission.objects.get().status == "new"
    for _twice in range(2):
        page = patient.post("/my/withdraw/", {})
    assert "You took this request back." in page.text
    assert AppointmentRequest.objects.get().progress == "withdrawn"
    assert [step.action for step in submission.history.all()] == ["send", "withdraw"]
    assert not Submission.objects.waiting().exists()


def test_a_red_flag_taken_back_is_looked_at_all_the_same():
    submission = builders.submission(leg_new=("swelling_one",), clot_risk=("none",))
    inside(submission).post("/my/withdraw/", {})
    assert list(Submission.objects.waiting()) == [submission]


def test_a_reply_has_a_clock_on_the_worklist():
    submission = builders.submission()
    page = inside(submission).post("/my/reply/", {"text": "May I come on Friday?"})
    assert "May I come on Friday?" in page.text
    assert "answer by" in page.text
    stored = Submission.objects.get()
    assert stored.reply_due_at > timezone.now()
    assert (stored.urgency, stored.status) == (submission.urgency, "new")
    clinician = builders.staff_client()
    assert "patient wrote" in clinician.get("/admin/intake/submission/?status=replies").text


def test_a_closed_request_with_a_reply_is_back_on_the_worklist():
    submission = builders.submission()
    Submission.objects.update(status="closed")
    assert not Submission.objects.waiting().exists()
    replies.reply(submission=submission, text="One more thing.")
    assert Submission.objects.waiting().exists()


def test_a_reply_that_sounds_like_danger_is_answered_at_once_and_raised():
    submission = builders.submission()
    Submission.objects.update(status="closed")
    page = inside(submission).post("/my/reply/", {"text": "I can’t breathe when I lie down"})
    assert page.red_card
    assert current().rule("S16").advice in page.text
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.SAME_DAY
    assert stored.assessed_urgency == submission.assessed_urgency
    assert stored.answers == submission.answers
    assert Message.objects.filter(kind="alarm").exists()


@pytest.mark.parametrize("urgency", [Urgency.SAME_DAY, Urgency.EMERGENCY])
def test_a_patient_who_became_urgent_is_not_promised_a_visit_in_weeks(urgency):
    patient = inside(builders.submission())
    assert "within 12 weeks" in patient.get("/my/").text
    patient.post("/my/reply/", {"text": "I can’t breathe when I lie down"})
    assert "weeks" not in patient.get("/my/").text
    Submission.objects.update(urgency=urgency, status="in_review", alarm=False)
    assert "weeks" not in patient.get("/my/").text


@pytest.mark.usefixtures("clinic_closed")
def test_when_closed_the_answer_to_alarm_words_leads_to_urgent_care():
    page = inside(builders.submission()).post("/my/reply/", {"text": "chest pain"})
    closed, advice = current().level("same_day").closed, current().rule("S16").advice
    assert page.text.index(closed) < page.text.index(advice)


def test_the_same_reply_sent_twice_is_stored_once():
    patient = inside(builders.submission())
    for _twice in range(2):
        patient.post("/my/reply/", {"text": "Hello"})
    assert Communication.objects.count() == 1


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, "a\u202eb"])
def test_a_reply_that_cannot_be_kept_comes_back(text):
    patient = inside(builders.submission())
    page = patient.post("/my/reply/", {"text": text})
    assert page.status == 422
    assert page.errors
    assert not Communication.objects.exists()


def test_the_clinics_message_is_read_on_the_page_and_mailed_as_a_hint_alone():
    submission = builders.submission()
    patient = inside(submission)
    patient.post("/my/reply/", {"text": "Hello?"})
    letters()
    clinician, stored = builders.staff_client(), Submission.objects.get()
    clinician.post(
        f"/admin/intake/submission/{submission.pk}/message/",
        {"message": "call_us", "revision": stored.revision},
    )
    (text,) = letters()
    assert submission.reference in clinician.get("/admin/clinic/message/?q=").text
    assert "There is a message for you" in text
    assert "call us at" not in text
    assert "Please call us at" in patient.get("/my/").text
    assert Submission.objects.get().reply_due_at is None


def test_a_reply_can_be_settled_without_an_answer():
    submission = builders.submission()
    replies.reply(submission=submission, text="Thank you!")
    url, revision = f"/admin/intake/submission/{submission.pk}/settle/", 1
    builders.staff_client().post(url, {"revision": revision})
    assert Submission.objects.get().reply_due_at is None


def test_adding_something_is_a_submission_of_its_own_judged_anew():
    earlier = builders.submission(reason_text="first words")
    patient = inside(earlier)
    page = patient.post("/my/add/", {})
    assert page.step == "safety"
    patient.says |= {
        "leg_new": ("swelling_one",),
        "clot_risk": ("none",),
        "reason_text": "Since today",
    }
    patient.walk_to("check")
    assert "first words" not in "".join(page.html for page in patient.seen)
    assert "Quentin" not in patient.page.text
    patient.send()
    added = Submission.objects.get(follows=earlier)
    assert (added.kind, added.urgency) == (Kind.ADDITION, Urgency.SAME_DAY)
    assert added.answers["reason_text"] == "Since today"
    assert added.person["name"] == "Quentin Canary"
    assert not AppointmentRequest.objects.filter(submission=added).exists()
    unchanged = Submission.objects.get(pk=earlier.pk)
    assert (unchanged.answers, unchanged.urgency) == (earlier.answers, earlier.urgency)
    shown = builders.staff_client().get(f"/admin/intake/submission/{added.pk}/change/").text
    assert f">{earlier.reference}</a>" in shown


def test_the_address_taken_over_into_an_addition_is_not_shown():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    assert MAILBOX not in patient.get("/intake/save/").html
    patient.post("/intake/save/", {"address": OTHER})
    assert patient.get("/intake/save/").form.values["address"] == [OTHER]


def test_adding_too_often_is_said(settings):
    settings.LIMIT_INTAKE_STARTS = 1
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    page = patient.post("/my/add/", {})
    assert page.status == 429
    assert "asked too often just now" in page.text


def test_an_emergency_in_an_addition_stops_as_everywhere():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    assert patient.answer(em_now=("stroke_signs",)).red_card


# --- bots ----------------------------------------------------------------------------------------


def filled_trap(**says) -> Submission:
    patient = Patient(**says)
    patient.start()
    patient.walk_to("contact")
    patient.answer(website="https://example.org")
    patient.walk_to("check")
    patient.send()
    return Submission.objects.get()


def test_what_fills_in_the_hidden_box_waits_for_a_person_and_is_never_dropped():
    submission = filled_trap()
    assert submission.suspect
    clinician = builders.staff_client()
    assert submission.reference not in clinician.get("/admin/intake/submission/").text
    assert "1 possible bot waits" in clinician.get("/admin/intake/submission/").text
    assert submission.reference in clinician.get("/admin/intake/submission/?status=suspect").text
    url = f"/admin/intake/submission/{submission.pk}"
    assert "A person sent this" in clinician.get(f"{url}/change/").text
    clinician.post(f"{url}/trust/", {"revision": submission.revision})
    assert submission.reference in clinician.get("/admin/intake/submission/").text


def test_nobody_with_a_red_flag_waits_as_a_bot():
    assert not filled_trap(leg_new=("swelling_one",), clot_risk=("none",)).suspect


def test_quicker_than_a_person_is_looked_at_first(settings):
    settings.MIN_FILL_SECONDS = 15
    Patient().whole_journey()
    assert Submission.objects.get().suspect


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
        assert re.fullmatch(r"/[a-z/]*", path), path
        for method in ("get", "head", "options"):
            for _n in range(10):
                getattr(Client(), method)(path)
    assert counts() == before


def test_no_page_of_the_return_names_a_record_in_its_address():
    from intake.urls import urlpatterns

    for pattern in urlpatterns:
        assert "<uuid" not in str(pattern.pattern)
        assert str(pattern.pattern).count("<") <= 1


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
