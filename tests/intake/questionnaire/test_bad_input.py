"""What does not come from our pages, or was typed wrongly: never an error, never half stored."""

from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from intake.domain.answers import from_json, to_json
from intake.domain.triage import assess
from intake.models.submissions import Draft, Submission
from intake.protocols import current
from intake.questionnaire import drafts
from tests.intake.domain.walks import values
from tests.intake.patient import TALKATIVE, Page, Patient, born, step_url, typed_date

PROTOCOL = current()
# Everybody who is asked everything: a page of each, in a walk that reaches it.
EVERYTHING = {
    **TALKATIVE,
    "pregnancy_status": "recent",
    "preg_warning": ("none",),
    "leg_new": ("sore_vein_below",),
    "clot_risk": ("none",),
    "vein_look": ("varicose", "open_sore"),
    "wound_time": "lt_2w",
    "wound_signs": ("none",),
    "foot_signs": ("cold_pale_one",),
    "cold_since": "over_12w",
    "si_screen": "none",
}
ASKED = [q for q in PROTOCOL.questions if q.page != "contact"]


def of_type(*types: str) -> list[str]:
    return [q.id for q in ASKED if q.type in types]


def at(step: str, **says: Any) -> Patient:
    patient = Patient(**{**EVERYTHING, **says})
    patient.jump_to(step)
    return patient


def refused(patient: Patient, question_id: str, typed: Any) -> Page:
    """Post this page with one answer typed like that, all others well; it must come back whole."""
    before = patient.draft.content
    page = patient.answer(**{question_id: typed})
    assert page.status == 422, f"{question_id}={typed!r} was taken"
    assert page.errors
    assert page.title.startswith("Error: ")
    after = patient.draft.content
    assert after == before, "something was stored"
    for name in page.form.asked:
        if name != question_id and patient.says.get(name) is not None:
            said = patient.says[name]
            said = [str(v) for v in said] if isinstance(said, tuple) else [str(said)]
            assert page.form.values.get(name) == said, f"{name} was not kept"
    return page


@pytest.fixture(autouse=True)
def _ask_everything(settings):
    settings.SI_SCREEN = True


# --- one wrong answer among right ones -----------------------------------------------------------
pytestmark = pytest.mark.django_db


def test_this_walk_is_asked_everything():
    patient = Patient(**EVERYTHING)
    patient.start()
    patient.walk_to("contact")
    asked = {name for page in patient.seen for form in page.forms for name in form.asked}
    assert {q.id for q in ASKED} <= asked


@pytest.mark.parametrize("question_id", of_type("single"))
def test_of_one_answer_only_those_offered_are_taken(question_id):
    patient = at(PROTOCOL.question(question_id).page)
    for typed in ("no_such_answer", "None", " ", "0", ("self", "self"), ["x", "y"], "a" * 5000):
        if typed == " " and not PROTOCOL.question(question_id).required:
            continue
        refused(patient, question_id, typed)
    assert patient.answer().status == 200


@pytest.mark.parametrize("question_id", of_type("multi"))
def test_of_several_answers_only_those_offered_are_taken(question_id):
    question = PROTOCOL.question(question_id)
    patient = at(question.page)
    said = patient.says.get(question_id) or ("none",)
    refused(patient, question_id, ("no_such_answer",))
    refused(patient, question_id, (*said, "no_such_answer"))
    shared = [o.code for o in question.options if o.code not in question.exclusive]
    if question.exclusive and not question.interrupts and question_id != "foot_signs":
        page = refused(patient, question_id, (shared[-1], question.exclusive[0]))
        assert set(page.form.values[question_id]) == {shared[-1], question.exclusive[0]}
    if question.required:
        refused(patient, question_id, None)


@pytest.mark.parametrize("question_id", of_type("integer", "decimal"))
@pytest.mark.parametrize(
    "typed",
    [
        "-1",
        "99999",
        "1e3",
        "NaN",
        "Infinity",
        "٤٤",
        "0x10",
        "1,234",
        "forty",
        "9" * 400,
        "4 4",
        "--3",
    ],
)
def test_of_numbers_only_those_within_their_limits_are_taken(question_id, typed):
    page = refused(at(PROTOCOL.question(question_id).page), question_id, typed)
    assert page.form.values[question_id] == [typed]


@pytest.mark.parametrize("question_id", of_type("integer", "decimal"))
def test_the_limits_themselves_are_taken(question_id):
    question = PROTOCOL.question(question_id)
    for value in (question.min, question.max):
        patient = at(question.page, **{question_id: str(value), "who": "parent_guardian"})
        assert patient.answer().status == 200


@pytest.mark.parametrize("question_id", of_type("text"))
@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("x" * 601, "Use at most 600 characters. You have 601."),
        ("a\x07b", "This has characters we cannot read."),
        ("a\u202eb", "This has characters we cannot read."),
        (("one", "two"), "Give one answer only."),
    ],
    ids=["too long", "bell", "turned around", "twice"],
)
def test_of_text_only_readable_text_of_its_length_is_taken(question_id, typed, complaint):
    page = refused(at(PROTOCOL.question(question_id).page), question_id, typed)
    assert any(complaint in error for error in page.errors)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "{{ settings.SECRET_KEY }}{% debug %}",
        "'; DROP TABLE intake_draft; --",
        "=HYPERLINK(1)",
        "Ünïcödé 🦵 العربية 中文",
        "line one\r\nline two",
        "  spaces around  ",
        "\ttab",
    ],
)
def test_text_of_any_kind_is_stored_as_it_was_written_and_shown_without_harm(text):
    patient = at("reason", reason_text=text)
    patient.walk_to("check")
    assert "<script>" not in patient.page.html
    patient.send()
    stored = Submission.objects.get().answers["reason_text"]
    assert stored == text.replace("\r\n", "\n").strip()


def test_required_questions_left_blank_are_asked_again_in_words():
    patient = at("rls-4")
    page = patient.press("continue", {})
    assert page.status == 422
    assert page.errors.count("Enter a number.") == 3
    assert "Choose one answer." in page.errors


# --- fields that are not ours, pages that are not next -------------------------------------------


def test_an_unknown_field_saves_nothing_and_says_so():
    patient = at("life")
    before = patient.draft.content
    page = patient.answer(is_admin="1")
    assert page.status == 422
    assert "did not come from our form" in page.text
    assert page.form.values["tobacco"] == ["never"]
    assert patient.draft.content == before


@pytest.mark.parametrize("step", ["contact", "appointment"])
def test_an_unknown_field_beside_the_contact_or_the_wish_saves_nothing(step):
    patient = at(step)
    page = patient.answer(is_staff="1")
    assert page.status == 422
    assert "did not come from our form" in page.text
    assert step not in patient.draft.content["visited"]


def test_a_value_for_a_hidden_question_saves_nothing():
    patient = Patient()
    patient.start()
    patient.walk_to("veins-2")
    page = patient.answer(clot_risk="cancer")
    assert page.status == 422
    assert "swell_long" not in patient.draft.content["answers"]


def test_answers_of_another_page_do_not_slip_in():
    patient = at("life")
    assert patient.answer(age_years="15").status == 422
    assert patient.draft.content["answers"]["age_years"] == 44


def test_a_page_that_is_not_next_yet_is_not_opened():
    patient = at("reason")
    assert patient.get(step_url("life")).step == "reason"
    before = patient.draft.content
    page = patient.post(step_url("life"), {"tobacco": "current"})
    assert page.status == 409
    assert "Your other answers are kept." in page.text
    assert patient.get(page.link("Go on with my answers")).step == "reason"
    assert patient.draft.content == before


def test_a_page_that_is_not_on_the_way_is_not_opened():
    patient = Patient()
    patient.start()
    patient.walk_to("reason")
    assert patient.get(step_url("about-2")).step == "reason"
    assert patient.post(step_url("about-2"), {"pregnancy_status": "no"}).status == 409


@pytest.mark.parametrize("step", ["nonsense", "contact-2", "admin", "x" * 300, "em_now", "-"])
def test_a_page_that_does_not_exist_is_not_found(step):
    patient = at("reason")
    assert patient.get(f"/intake/p/{step}/").status == 404
    assert patient.post(f"/intake/p/{step}/", {"a": "b"}).status == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_other_methods_are_refused(method):
    client = Client()
    for url in ("/intake/", step_url("safety"), "/intake/check/", "/intake/emergency/"):
        assert getattr(client, method)(url).status_code == 405


@pytest.mark.parametrize("url", ["/intake/sent/", "/intake/refused/"])
def test_pages_to_read_take_no_form(url):
    assert Client().post(url, {}).status_code == 405


@pytest.mark.parametrize(
    "key", ["", "nonsense", "é" * 50, "a" * 4000, "\x01", "../../etc/passwd", "0" * 43]
)
def test_a_foreign_or_broken_cookie_is_nobodys(key):
    at("reason")
    stranger = Patient()
    stranger.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    assert stranger.get(step_url("reason")).path == "/intake/"
    assert stranger.get("/intake/check/").path == "/intake/"
    page = stranger.post(step_url("reason"), {"main_reason": "veins", "reason_text": "typed words"})
    assert page.status == 410
    assert "typed words" in page.text
    assert "Varicose or spider veins" in page.text
    assert stranger.post("/intake/check/", {}).status == 410
    assert stranger.post("/intake/emergency/", {"go": "tell"}).status == 410


def test_a_contact_typed_without_a_draft_can_be_copied():
    page = Patient().post(
        step_url("contact"), {"name": "Quentin Canary", "callback_phone": "202-555-0147"}
    )
    assert page.status == 410
    assert "Quentin Canary" in page.text
    assert "202-555-0147" in page.text


def test_a_key_of_a_cleared_draft_opens_nothing():
    patient = at("reason")
    key = patient.key
    patient.get("/intake/leave/")
    patient.press("leave")
    patient.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    assert patient.get(step_url("reason")).path == "/intake/"


def test_two_patients_never_meet():
    one, other = at("life"), at("life")
    assert one.key != other.key
    one.answer(tobacco="current")
    other.answer(tobacco="never")
    said = {d.content["answers"]["tobacco"] for d in Draft.objects.all()}
    assert said == {"current", "never"}


@pytest.mark.parametrize(
    "body",
    [
        b"tobacco=%00",
        b"tobacco=%ff%fe",
        b"tobacco=%zz",
        b"\x00" * 50,
        b"&&&===",
        b"tobacco=" + b"x" * 150_000,
        b"&".join(b"a%d=1" % n for n in range(500)),
    ],
)
def test_bytes_that_no_browser_sends_are_refused(body):
    patient = at("life")
    before = patient.draft.content
    response = patient.client.post(
        step_url("life"), body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code in (400, 413, 422)
    assert patient.draft.content == before


def test_json_and_files_are_no_answers():
    patient = at("life")
    before = patient.draft.content
    url = step_url("life")
    assert patient.client.post(url, '{"tobacco": "never"}', content_type="application/json")
    file = SimpleUploadedFile("x.txt", b"never")
    response = patient.client.post(url, {"tobacco": "never", "habits": file})
    assert response.status_code < 500
    nul = patient.client.post(step_url("life"), {"tobacco": "never\x00"})
    assert nul.status_code in (400, 422)
    assert patient.draft.content["answers"].get("si_screen") == before["answers"].get("si_screen")


# --- the contact ---------------------------------------------------------------------------------


def contact_refused(typed: dict[str, Any], complaint: str, **says: Any) -> Page:
    patient = at("contact", **says)
    before = patient.draft.content
    page = patient.answer(**typed)
    assert page.status == 422
    assert any(complaint in error for error in page.errors), page.errors
    assert patient.draft.content == before
    for name in ("name", "callback_phone", "email", "birth_date_year", "prefer", "lang_help"):
        if name not in typed:
            assert page.form.values[name] == [patient.says[name]]
    return page


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\x00\x00", "a\u202eb", "\u2066x\u2069", "x" * 121, ("one", "two"), "a\x1bb"],
)
def test_a_name_is_readable_text(name):
    patient = at("contact")
    response = patient.client.post(step_url("contact"), patient.filled(name=name))
    assert response.status_code in (400, 422)
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    "name",
    ["O’Brien", "Nguyễn Thị Minh", "李雷", "Jean-Luc d'Arc", "Ṣàngó", "X", "محمد", "J. R. 2nd"],
)
def test_a_name_of_any_language_is_taken(name):
    patient = at("contact", name=name)
    patient.walk_to("check")
    assert patient.draft.content["contact"]["name"] == name


@pytest.mark.parametrize(
    "email",
    [
        "sam@localhost",
        "sam",
        "sam@",
        "@example.org",
        '"sam smith"@example.org',
        "sam@[127.0.0.1]",
        "sam@example.org, eve@example.org",
        "sam@example.org\nBcc: eve@example.org",
        "a@b@example.org",
        "sam@exa mple.org",
        "x" * 250 + "@example.org",
    ],
)
def test_an_email_is_one_that_a_mail_program_can_answer(email):
    patient = at("contact")
    page = patient.answer(email=email)
    assert page.status == 422
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    "email", ["sam@example.org", "s.a-m+legs@mail.example.co.uk", "SAM@EXAMPLE.ORG"]
)
def test_an_ordinary_email_is_taken(email):
    patient = at("contact", email=email)
    assert patient.answer().step == "appointment"
    assert patient.draft.content["contact"]["email"] == email


def test_an_email_is_needed_only_by_who_wants_mail():
    contact_refused({"email": "", "prefer": "email"}, "Enter an e-mail address, or choose")
    assert at("contact", email="").answer().step == "appointment"


def test_a_part_of_a_date_sent_twice_is_not_guessed_at():
    patient = at("contact")
    page = patient.answer(birth_date_year=("1982", "1983"))
    assert page.status == 422
    assert "This was sent twice. Give one answer." in page.text


@pytest.mark.parametrize(
    "phone",
    [
        *("", "911", "call me", "123", "+", "202-555-01477777777", "０１２", "a" * 30),
        *("555-0123", "0123456"),  # without an area code nobody can be called
    ],
)
def test_a_phone_number_is_one_that_can_be_called(phone):
    patient = at("contact")
    page = patient.answer(callback_phone=phone)
    assert page.status == 422
    assert page.form.values["callback_phone"] == [phone]
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize(
    ("phone", "stored"),
    [
        ("2025550147", "+12025550147"),
        ("(202) 555-0147", "+12025550147"),
        ("+1 202.555.0147", "+12025550147"),
        ("1-202-555-0147", "+12025550147"),
        ("+44 20 7946 0018", "+442079460018"),
        ("202-555-0147 ext. 45", "+12025550147;ext=45"),
    ],
)
def test_a_phone_number_is_stored_in_one_form(phone, stored):
    patient = at("contact", callback_phone=phone)
    assert patient.answer().step == "appointment"
    assert patient.draft.content["contact"]["callback_phone"] == stored


@pytest.mark.parametrize(
    ("month", "day", "year", "complaint"),
    [
        ("2", "30", "1982", "There is no such date."),
        ("13", "1", "1982", "There is no such date."),
        ("0", "0", "1982", "There is no such date."),
        ("2", "29", "1981", "There is no such date."),
        ("3", "27", "82", "Write the year with four numbers"),
        ("March", "27", "1982", "Use numbers only"),
        ("٣", "27", "1982", "Use numbers only"),
        ("-3", "27", "1982", "Use numbers only"),
        ("3", "", "1982", "Fill in all three boxes"),
        ("", "", "", "Enter the date"),
        ("1", "1", "2999", "This date is in the future."),
        ("1", "1", "1850", "more than 120 years ago"),
        ("9" * 500, "1", "1982", "Use numbers only"),
        ("1", "1", "0000", "Write the year with four numbers"),
    ],
)
def test_a_birth_date_is_a_date_of_somebody_alive(month, day, year, complaint):
    typed = {"birth_date_month": month, "birth_date_day": day, "birth_date_year": year}
    page = contact_refused(typed, complaint)
    assert page.form.values.get("birth_date_month", [""]) == [month]


def test_a_birth_date_that_disagrees_with_the_age_leads_back_to_that_question():
    page = contact_refused(born(50), "You said that the patient is 44 years old")
    assert "but this date makes 50" in page.text
    assert page.link("Change the age") == f"{step_url('about')}?change=1"
    patient = at("contact")
    patient.answer(**born(50))
    patient.get(patient.page.link("Change the age"))
    page = patient.answer(age_years="50")
    assert page.step == "contact"
    assert patient.answer(**born(50)).step in ("appointment", "check")


def test_the_day_before_the_birthday_one_is_a_year_younger():
    today = timezone.localdate()
    tomorrow = today + timezone.timedelta(days=1)
    if (tomorrow.month, tomorrow.day) == (2, 29) or tomorrow.year != today.year:
        pytest.skip("a day of its own")
    patient = at("contact")
    page = patient.answer(**typed_date("birth_date", tomorrow.replace(year=today.year - 44)))
    assert "but this date makes 43" in page.text
    page = patient.answer(**typed_date("birth_date", tomorrow.replace(year=today.year - 45)))
    assert page.step == "appointment"


def test_without_consent_one_is_asked_to_call():
    contact_refused({"consent": None}, "If you do not want to agree, please call us instead.")


def test_without_having_understood_nobody_goes_on():
    contact_refused({"ack": None}, "Tick the box to go on.")


@pytest.mark.parametrize("name", ["prefer", "prefer_time", "lang_help"])
def test_of_the_choices_of_the_contact_only_those_offered_are_taken(name):
    patient = at("contact")
    for typed in ("no_such", None, ("phone", "email")):
        page = patient.answer(**{name: typed})
        assert page.status == 422
        assert not patient.draft.content["contact"]


def test_a_name_of_a_helper_is_not_taken_from_who_fills_in_for_themselves():
    patient = at("contact")
    assert patient.answer(proxy_name="Petra Canary").status == 422
    assert not patient.draft.content["contact"]


@pytest.mark.parametrize("name", ["visit_type", "days", "times"])
def test_of_the_choices_of_the_wish_only_those_offered_are_taken(name):
    patient = at("appointment")
    page = patient.answer(**{name: "no_such"})
    assert page.status == 422
    assert not patient.draft.content["wish"]


# --- whatever comes, in whatever order -----------------------------------------------------------
roughly = hypothesis(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)
STEPS = [page.id for page in PROTOCOL.pages] + ["appointment", "nonsense"]
NAMES = [q.id for q in PROTOCOL.questions] + (
    "name email prefer prefer_time consent birth_date_month birth_date_day birth_date_year "
    "visit_type days times earliest_year place proxy_name csrfmiddlewaretoken go change x"
).split()
CODES = sorted({o.code for q in PROTOCOL.questions for o in q.options})
garbage = st.one_of(
    st.sampled_from(CODES),
    st.text(max_size=20),
    st.integers(-5, 10**12).map(str),
    st.sampled_from(
        ["", " ", "on", "new", "mistake", "tell", "send", "\x00", "%", "1e999", "2/30"]
    ),
)
post = st.tuples(
    st.sampled_from(STEPS).map(step_url)
    | st.sampled_from(["/intake/", "/intake/check/", "/intake/emergency/", "/appointments/"]),
    st.dictionaries(st.sampled_from(NAMES), st.lists(garbage, max_size=3), max_size=6),
)
get = st.sampled_from(
    [*map(step_url, STEPS), "/intake/check/", "/intake/sent/", "/intake/emergency/", "/intake/"]
).map(lambda url: (url, None))


@pytest.mark.usefixtures("roomy")
class TestWhateverComes(TestCase):
    @roughly
    @given(st.sampled_from(STEPS[:-1]), st.lists(post | get, min_size=3, max_size=25))
    def test_nothing_that_is_sent_in_any_order_breaks_the_program(self, step, requests):
        """From any page on, garbage to any page; wherever it ends, the patient can go on."""
        patient = Patient(**EVERYTHING)
        patient.jump_to(step)
        for url, data in requests:
            response = patient.client.get(url) if data is None else patient.client.post(url, data)
            assert response.status_code < 500, (url, data)
        for draft in Draft.objects.filter(submission=None):
            assert drafts.walk_of(draft).assessment.urgency  # what is stored can be read
        for url in ("/intake/", "/intake/emergency/", "/intake/check/"):
            assert patient.get(url).status == 200

    @roughly
    @given(
        st.sampled_from([p.id for p in PROTOCOL.pages][1:-1]),
        st.lists(
            st.sampled_from([p.id for p in PROTOCOL.pages][1:-1]).flatmap(
                lambda step: st.tuples(
                    st.just(step),
                    st.fixed_dictionaries(
                        {},
                        optional={
                            q.id: st.lists(
                                st.sampled_from([o.code for o in q.options] or ["18", "60"]),
                                max_size=2,
                            )
                            for q in PROTOCOL.page(step).questions
                        },
                    ),
                )
            ),
            max_size=15,
        ),
    )
    def test_after_answers_in_any_order_the_way_always_ends(self, step, posts):
        patient = Patient(**EVERYTHING)
        patient.jump_to(step)
        for other, data in posts:
            assert patient.client.post(step_url(other), data).status_code < 500
        patient.get("/intake/check/")
        if not Draft.objects.exists():  # a minor alone
            return
        for _page in range(40):
            if patient.page.red_card or patient.page.step == "check":
                break
            if patient.page.step == "contact":
                patient.says |= born(patient.draft.content["answers"]["age_years"])
            patient.answer()
            assert patient.page.status == 200, (patient.page.step, patient.page.errors)
        if patient.page.red_card:
            page = patient.press("tell", {"phone": "202-555-0147", "name": ""})
        elif patient.page.step == "check":
            page = patient.send()
        else:
            raise AssertionError("it never ended")
        assert Submission.objects.get().reference in page.text

    @roughly
    @given(st.data())
    def test_every_complete_walk_ends_in_what_the_rules_say_of_its_answers(self, data):
        patient = Patient()
        patient.start()
        for _page in range(60):
            page = patient.page
            if page.step in ("check", "emergency"):
                break
            if not page.form.asked or page.path == "/intake/p/about/":
                patient.says |= {"age_years": data.draw(st.integers(18, 99)), "who": "self"}
                patient.says |= born(patient.says["age_years"])
                patient.says["sex_at_birth"] = data.draw(st.sampled_from(["male", "female"]))
            elif page.step not in ("contact", "appointment"):
                for name in page.form.asked:
                    question = PROTOCOL.question(name)
                    answer = values(question) if question.required else st.none() | values(question)
                    if name == "em_now":
                        answer = st.sampled_from([("none",)] * 9 + [("chest_or_breath",)])
                    drawn = to_json({name: data.draw(answer)})[name]
                    patient.says[name] = tuple(drawn) if isinstance(drawn, list) else drawn
            patient.answer()
            assert patient.page.status == 200, patient.page.errors
        if patient.page.red_card:
            patient.press("tell", {"phone": "202-555-0147", "name": ""})
        else:
            assert patient.page.step == "check"
            patient.send()
        said = Submission.objects.latest("submitted_at")
        contact = ("lang_help", "callback_phone", "ack")
        person = {name: said.person[name] for name in contact if name in said.person}
        answers = {**from_json(PROTOCOL, said.answers), **person}
        assert said.result == assess(PROTOCOL, answers, si_screen=True)
        assert said.urgency_code == said.result.urgency
