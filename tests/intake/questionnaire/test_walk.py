"""A patient goes through the questionnaire page by page, and answers what each page asks."""

import re
from dataclasses import replace
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import settings as settings_of_laws
from hypothesis import strategies as st

from clinic import privacy
from intake import protocols
from intake.domain.answers import to_json
from intake.domain.triage import assess
from intake.draft_content import Content
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Draft, Submission, Urgency
from intake.protocols import current
from intake.questionnaire.walk import Walk
from tests.examples import examples
from tests.intake.domain.walks import walks
from tests.intake.patient import TALKATIVE, Page, Patient, born, step_url
from tests.intake.way_in import saved

pytestmark = pytest.mark.django_db
CANARY = "zqcanary7f3a"


def at_check(**says) -> Patient:
    patient = Patient(**says)
    patient.start()
    patient.walk_to("check")
    return patient


def row(page: Page, label: str) -> str:
    """Return the answer that stands next to a question on the check page."""
    found = re.search(rf"<dt>{re.escape(label)}</dt><dd>(.*?)</dd>", page.html, re.S)
    return re.sub(r"<[^>]+>", " ", found[1]).strip()


# --- from the start to the receipt ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "urgency"),
    [
        ({}, Urgency.ROUTINE),
        (TALKATIVE, Urgency.SOON),
        ({"leg_new": ("swelling_one",), "clot_risk": ("none",)}, Urgency.SAME_DAY),
        ({"drowsy_drive": "fell_asleep"}, Urgency.URGENT),
        ({"who": "caregiver", "age_years": 80}, Urgency.ROUTINE),
    ],
    ids=["ordinary", "talkative", "swollen leg", "asleep at the wheel", "helped by somebody"],
)
def test_a_patient_walks_from_the_start_to_the_receipt(says, urgency):
    patient = Patient(**says)
    page = patient.whole_journey()
    submission = Submission.objects.get()
    assert page.path == "/intake/sent/"
    assert submission.reference in page.text
    assert submission.urgency == submission.assessed_urgency == urgency


def test_what_is_stored_is_what_was_said_and_what_the_rules_say_of_it():
    Patient(**TALKATIVE).whole_journey()
    submission = Submission.objects.get()
    said = {
        q.id: Patient(**TALKATIVE).says[q.id]
        for q in current().questions
        if q.id in submission.answers
    }
    told = {name: list(v) if isinstance(v, tuple) else v for name, v in said.items()}
    assert submission.answers == told
    assert submission.result.to_json() == _assessed(submission)
    wish = AppointmentRequest.objects.get()
    assert (wish.visit_type, wish.earliest) == ("in_person", None)
    assert wish.wishes == [
        {"days": ["mon", "thu"], "times": ["morning"], "place": "Main clinic", "clinician": ""}
    ]


def _assessed(submission: Submission) -> dict:
    from intake.domain.answers import from_json

    person = submission.person
    everything = from_json(
        current(),
        {**submission.answers, "lang_help": person["lang_help"], "ack": person["ack"]},
    )
    everything["callback_phone"] = person["callback_phone"]
    return assess(current(), everything, si_screen=False).to_json()


def test_phone_and_language_are_kept_with_the_contact_and_not_among_the_answers():
    Patient(lang_help="spanish").whole_journey()
    submission = Submission.objects.get()
    assert submission.person["callback_phone"] == "+12025550147"
    assert submission.person["lang_help"] == "spanish"
    assert not {"callback_phone", "lang_help", "ack"} & set(submission.answers)
    assert [flag.id for flag in submission.result.flags] == ["F06"]


def test_the_consent_is_kept_with_its_version_and_time():
    patient = Patient()
    patient.start()
    patient.walk_to("check")
    assert "consent" not in patient.draft.content["contact"], "nothing is agreed to before Send"
    patient.send()
    consent = Submission.objects.get().person["consent"]
    assert consent["version"] == privacy.version("en")
    assert consent["at"].endswith("+00:00")


def test_every_page_says_in_words_how_far_one_has_come():
    patient = Patient()
    patient.start()
    told = []
    while patient.page.step != "check":
        told.append(re.search(r"Part</span> (\d+ of \d+)", patient.page.html)[1])
        patient.answer()
    assert told[0] == "1 of 12"
    assert told[-1] == "11 of 11", "one section was not asked"


@pytest.mark.parametrize("has_wish", [False, True], ids=["whole", "from a booking"])
@pytest.mark.parametrize("name", protocols.available())
@settings_of_laws(max_examples=examples(15), deadline=None)
@given(data=st.data())
def test_the_parts_add_up(name, has_wish, data):
    """The number of the part never jumps, the number of parts never grows, the last is the last."""
    protocol = protocols.load(name)
    answers = data.draw(walks(protocol))
    whole = Walk(protocol, Content(answers=answers), has_wish=has_wish)
    told, given_so_far = [], {}
    for step in whole.steps:
        walk = Walk(protocol, Content(answers=given_so_far), has_wish=has_wish)
        if step in walk.steps:  # a page may come to be asked only by answers of a later one
            told.append(walk.part_of(step))
        page = whole.page(step)
        given_so_far |= (
            {q.id: answers[q.id] for q in page.questions if q.id in answers} if page else {}
        )
    numbers, parts = [number for number, _all in told], [every for _number, every in told]
    assert numbers[0] == 1
    assert all(after - before in (0, 1) for before, after in pairwise(numbers))
    assert parts == sorted(parts, reverse=True)
    assert numbers[-1] == parts[-1]


def test_every_page_has_a_heading_one_way_on_and_a_way_out():
    patient = Patient(**TALKATIVE)
    patient.start()
    while patient.page.step != "check":
        page = patient.page
        assert page.html.count("<h1") == 1, page.step
        assert page.form.buttons[0] == "continue"
        assert len(page.form.asked) <= 13  # the contact, of which five are folded
        assert page.links_to("/intake/leave/")
        assert page.links_to("tel:911")
        assert page.links_to("tel:988")
        patient.answer()


@pytest.mark.parametrize("start", ["/intake/legs/", "/intake/veins/", "/es/intake/legs/"])
def test_no_two_pages_in_a_row_have_the_same_title(start):
    patient = Patient(**TALKATIVE)
    patient.start(start)
    patient.walk_to("check")
    titles = [page.title for page in patient.seen]
    assert [
        title for title, before in zip(titles[1:], titles, strict=False) if title == before
    ] == []


def test_a_scale_is_answered_by_one_tap():
    patient = Patient(**TALKATIVE)
    patient.start()
    patient.walk_to("check")
    scales = {
        name: control.offered
        for page in patient.seen
        if page.forms
        for name, control in page.form.controls.items()
        if name in {"lr7_days", "lr7_strength"}
    }
    assert scales == {
        "lr7_days": [str(n) for n in range(8)],
        "lr7_strength": [str(n) for n in range(11)],
    }


def test_back_leads_through_the_same_pages_with_the_answers_still_there():
    patient = Patient(**TALKATIVE)
    patient.start()
    patient.walk_to("appointment")
    forth = [page.step for page in patient.seen[1:]]
    back = ["appointment"]
    while any(text == "Back" for _href, text in patient.page.links):
        patient.get(patient.page.link("Back"))
        page = patient.page
        back.append(page.step)
        filled = {name: control.chosen for name, control in page.form.controls.items()}
        assert page.form.values == filled, "a question lost its answer"
    assert back == forth[::-1]


def test_no_page_is_ever_empty_or_asks_the_same_twice():
    patient = Patient(**TALKATIVE)
    patient.start()
    patient.walk_to("check")
    asked = [name for page in patient.seen[1:-1] for name in page.form.asked]
    assert len(asked) == len(set(asked))
    assert all(page.form.asked for page in patient.seen[1:-1])


# --- check your answers --------------------------------------------------------------------------


def test_the_check_page_shows_every_answer_with_a_link_to_change_it():
    patient = at_check(**TALKATIVE)
    page = patient.page
    assert row(page, "Ferritin") == "61.5 ng/mL"
    assert row(page, "In your own words (optional)") == TALKATIVE["reason_text"]
    assert row(page, "Patient’s name") == "Quentin Canary"
    assert row(page, "Phone") == "(202) 555-0147"
    assert row(page, "Kind of visit") == "In person"
    assert page.html.count("<dt>") == page.html.count(">Change<span")
    for href, text in page.links:
        if text.startswith("Change "):
            assert Client().get(href).status_code == 302
            there = patient.get(href)
            assert there.status == 200
            assert there.link("Back to your answers") == "/intake/check/"


def test_a_skipped_question_reads_not_provided():
    patient = at_check(leg_side=None, rls_with=None)
    assert row(patient.page, "Which leg?") == "Not provided"
    assert row(patient.page, "Do any of these fit your leg feelings?") == "Not provided"
    patient.send()
    assert "leg_side" not in Submission.objects.get().answers


@pytest.mark.parametrize(("start", "folds"), [("/intake/", True), ("/appointments/", False)])
def test_a_long_check_page_folds_its_questions_and_says_what_was_left_out(start, folds):
    patient = Patient(leg_side=None)
    patient.start(start)
    html = patient.walk_to("check").html
    folded = re.findall(
        r"<details><summary><h2>(.*?)</h2> <span>(.*?)</span>.*?</details>", html, re.S
    )
    assert bool(folded) is folds
    assert (("Reason for the visit", "3 left out") in folded) is folds
    outside = re.sub(r"(?s)<details>.*?</details>", "", html)
    assert "Quentin Canary" in outside
    assert ("/reason/?change=1" in outside) is not folds
    assert "/reason/?change=1" in html


def test_a_change_returns_to_the_check_page():
    patient = at_check()
    patient.change("reason")
    page = patient.answer(leg_side="left")
    assert page.step == "check"
    assert row(page, "Which leg?") == "Left"


def test_an_answer_taken_away_on_a_change_is_gone():
    patient = at_check()
    patient.change("reason")
    page = patient.answer(leg_side=None)
    assert row(page, "Which leg?") == "Not provided"


def test_a_change_that_opens_new_questions_shows_those_first_and_then_returns():
    patient = at_check()
    patient.says["vein_bleed"] = "never"
    patient.change("veins")
    page = patient.answer(vein_look=("varicose",))
    assert (page.step, page.form.asked) == ("veins-3", ["vein_bleed"])
    assert patient.get("/intake/check/").step == "veins-3", "it cannot be sent before"
    patient.get(page.url)
    page = patient.answer()
    assert page.step == "check"
    assert row(page, "Has a leg vein ever bled?") == "No"


def test_a_change_that_closes_questions_forgets_their_answers_but_not_for_ever():
    patient = at_check(**TALKATIVE)
    patient.change("veins")
    page = patient.answer(vein_look=("none",))
    assert "Has a leg vein ever bled?" not in page.text
    patient.change("veins")
    page = patient.answer(vein_look=("varicose",))
    assert page.step == "check", "what was said before counts again"
    assert row(page, "Has a leg vein ever bled?") == "No"
    patient.change("veins")
    patient.answer(vein_look=("none",))
    patient.send()
    assert "vein_bleed" not in Submission.objects.get().answers


def test_another_age_asks_for_the_birth_date_again():
    patient = at_check()
    patient.change("about")
    page = patient.answer(age_years=45)
    assert page.step == "contact"
    page = patient.answer(**born(44))
    assert page.status == 422
    assert "but this birth date makes the patient 44" in page.text
    page = patient.answer(**born(45))
    assert page.step == "check"


def test_a_helper_who_comes_in_late_is_asked_for_their_name():
    patient = at_check()
    patient.change("about")
    page = patient.answer(who="caregiver")
    assert page.step == "contact"
    assert "proxy_name" in page.form.asked
    assert current().question("lang_help").for_proxy().text in page.text
    assert current().question("lang_help").text not in page.text
    patient.answer()
    assert row(patient.page, "Filled in by") == "Petra Canary"
    patient.change("about")
    patient.answer(who="self")
    patient.answer()
    assert "Filled in by" not in patient.page.text


def test_who_answers_for_somebody_else_is_asked_about_the_patient():
    patient = Patient(who="caregiver")
    patient.start()
    patient.walk_to("rls")
    assert "has the patient had a strong need to move the legs" in patient.page.text
    patient.walk_to("check")
    assert "has the patient had a strong need to move the legs" in patient.page.text


# --- beginning, going on, leaving ----------------------------------------------------------------


def test_who_comes_back_is_asked_to_go_on_or_start_new():
    patient = Patient()
    patient.start()
    patient.walk_to("rls")
    page = patient.get("/intake/")
    assert [form.buttons for form in page.forms] == [["continue"], ["mine", "shared"]]
    assert patient.press("continue").step == "rls"
    patient.get("/intake/")
    asked = patient.press("mine")
    assert "Restless legs and leg trouble: 8 answers" in asked.text
    assert "we cannot bring them back" in asked.text
    assert patient.draft.content["answers"]
    patient.post("/intake/", asked.forms[1].values)
    assert patient.page.step == "safety"
    assert patient.page.form.values.keys() == {"csrfmiddlewaretoken", "revision"}
    assert patient.draft.content["answers"] == {}


def test_agreeing_to_start_new_counts_only_for_the_answers_that_were_named():
    patient = Patient()
    patient.start()
    patient.answer()
    patient.get("/intake/")
    asked = patient.press("mine")
    patient.get(step_url("about"))
    patient.answer()
    again = patient.post("/intake/", asked.forms[1].values)
    assert "5 answers" in again.text
    assert patient.draft.content["answers"]


def test_starting_new_deletes_no_answers_that_were_saved_for_later():
    patient, number = saved("about")
    patient.get("/intake/")
    asked = patient.press("mine")
    assert "so we keep them" in asked.text
    assert patient.post("/intake/", asked.forms[1].values).step == "safety"
    assert Draft.objects.filter(reference=number).exists()


def test_a_form_without_an_answer_is_replaced_without_a_question():
    patient = Patient()
    patient.start()
    patient.get("/intake/")
    assert patient.press("mine").step == "safety"
    assert Draft.objects.count() == 1


def test_a_start_page_left_open_does_not_throw_answers_away():
    patient = Patient()
    old_tab = patient.get("/intake/")
    patient.start()
    patient.walk_to("rls")
    page = patient.post("/intake/", old_tab.form.values | {"device": "mine"})
    assert page.step == "rls"


def test_leaving_deletes_the_draft_and_the_cookie():
    patient = Patient()
    patient.start()
    patient.walk_to("rls")
    assert patient.get("/intake/leave/").status == 200
    assert Draft.objects.count() == 1, "asking alone deletes nothing"
    patient.press("leave")
    assert patient.page.path == "/"
    assert not Draft.objects.exists()
    assert not patient.client.cookies[settings.DRAFT_COOKIE_NAME].value
    assert patient.get("/intake/legs/p/rls/").path == "/intake/"


def test_leaving_after_sending_keeps_what_was_sent():
    patient = Patient()
    patient.whole_journey()
    patient.get("/intake/leave/")
    patient.press("leave")
    assert Submission.objects.count() == 1
    assert patient.get("/intake/sent/").path == "/intake/"


def test_who_does_not_agree_is_given_the_phone():
    patient = Patient()
    patient.start()
    patient.walk_to("check")
    page = patient.get(patient.page.link("I do not agree"))
    assert page.links_to("tel:+12025550123")
    assert "You can still come to us" in page.text


def test_a_draft_left_alone_too_long_is_not_found(settings):
    patient = Patient()
    patient.start()
    patient.walk_to("rls")
    settings.DRAFT_OWN_HOURS = 0
    assert patient.get("/intake/legs/p/rls/").status == 410


# --- what other people cannot learn --------------------------------------------------------------


def test_the_addresses_of_pages_tell_no_answers():
    sections = {section.id for section in current().questionnaire.sections}
    told = {q.id for q in current().questions}
    told |= {option.code for q in current().questions for option in q.options}
    for page in current().pages:
        assert re.fullmatch(rf"({'|'.join(sections)})(-\d)?", page.id)
        assert page.id not in told - sections


def test_nothing_that_was_typed_leaves_the_pages(caplog, written_log):
    caplog.set_level("DEBUG")
    words = {
        "name": f"{CANARY} Name",
        "email": f"{CANARY}@example.org",
        "reason_text": f"{CANARY} reason",
        "meds_list": f"{CANARY} medicine",
    }
    patient = Patient(**{**TALKATIVE, **words})
    patient.start()
    patient.walk_to("contact")
    patient.answer(birth_date_day="99")  # the page comes back with an error
    patient.answer(callback_phone=f"{CANARY}")
    patient.walk_to("check")
    patient.change("reason")
    patient.answer()
    patient.send()
    assert Submission.objects.get().person["name"] == words["name"]
    assert "request" in written_log.getvalue()
    said = re.compile(f"{CANARY}|2025550147|\\D1982\\D", re.I)
    options = {option.code for q in current().questions for option in q.options}
    # an address may contain the name of a page, even if an option has the same name
    options -= {page.id for page in current().pages}
    for method, url, response in patient.requests:
        parts = urlsplit(url)
        assert parse_qs(parts.query) in ({}, {"change": ["1"]}), url
        assert not said.search(url)
        assert not options & set(re.split(r"[/=&?]", url)), url
        for morsel in response.cookies.values():
            assert not said.search(morsel.OutputString())
            assert morsel["httponly"]
            assert morsel["samesite"] == "Lax"
        assert method in ("GET", "POST")
    for page in patient.seen:
        assert not said.search(page.title)
        assert not any(said.search(href) for href, _text in page.links)
    assert not said.search(caplog.text)
    assert not said.search(written_log.getvalue())


def test_patient_pages_are_kept_by_no_cache_and_no_search_engine():
    patient = Patient()
    patient.whole_journey()
    for _method, url, response in patient.requests:
        assert "no-store" in response["Cache-Control"], url
        assert response["X-Robots-Tag"] == "noindex"


def test_a_patient_has_no_session():
    patient = Patient()
    patient.whole_journey()
    assert set(patient.client.cookies) == {settings.DRAFT_COOKIE_NAME, settings.CSRF_COOKIE_NAME}


def test_the_content_of_a_draft_survives_storing():
    patient = at_check(**TALKATIVE)
    from intake.questionnaire import drafts

    content = drafts.walk_of(patient.draft).content
    assert to_json(content.answers) == patient.draft.content["answers"]


def test_a_change_beside_the_answers_judges_and_routes_nothing_anew():
    walk = Walk(current(), Content(answers={"who": "self", "em_now": ["chest_or_breath"]}))
    decided = (walk.known, walk.pages, walk.steps, walk.interrupting_rules)
    after = walk.with_content(replace(walk.content, panel=("R01",)))
    kept = (after.known, after.pages, after.steps, after.interrupting_rules)
    assert walk.interrupting_rules
    assert all(one is other for one, other in zip(decided, kept, strict=True))
