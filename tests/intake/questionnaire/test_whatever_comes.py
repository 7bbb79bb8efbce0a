"""Any requests in any order break nothing, and the walk always comes to an end."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from intake.domain.answers import from_json, to_json
from intake.domain.route import pages_in
from intake.domain.triage import assess
from intake.models.submissions import Draft, Submission
from intake.questionnaire import drafts
from tests.examples import examples
from tests.intake.domain.walks import values
from tests.intake.patient import Patient, born, step_url
from tests.intake.questionnaire.everything import EVERYTHING, PROTOCOL

roughly = hypothesis(
    max_examples=examples(8),
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)

ASKED = pages_in(PROTOCOL.uses, "intake", PROTOCOL.pages)
AFTER_DANGER = {"em_again"}  # the question that is asked only after words of danger
SHOWN = [
    *(p.id for p in ASKED if not any(q.about or q.id in AFTER_DANGER for q in p.questions)),
    "contact",
]
STEPS = [*SHOWN, *sorted({p.id for p in PROTOCOL.pages} - {*SHOWN}), "appointment", "nonsense"]
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
    @given(st.sampled_from([*SHOWN, "appointment"]), st.lists(post | get, min_size=3, max_size=25))
    def test_nothing_that_is_sent_in_any_order_breaks_the_program(self, step, requests):
        """Start at any page, and send garbage to any pages. The patient can still go on."""
        patient = Patient(**EVERYTHING)
        patient.jump_to(step)
        for url, data in requests:
            response = patient.client.get(url) if data is None else patient.client.post(url, data)
            assert response.status_code < 500, (url, data)
        for draft in Draft.objects.filter(submission=None):
            assert drafts.walk_of(draft).assessment.urgency  # the stored answers can be read
        for url in ("/intake/", "/intake/emergency/", "/intake/check/"):
            assert patient.get(url).status in (200, 422)  # 422: a page that waits for its answers

    @roughly
    @given(
        st.sampled_from(SHOWN[1:-1]),
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
        if not Draft.objects.exists():  # the draft of a minor who is alone was deleted
            return
        for _page in range(40):
            if patient.page.step in ("emergency", "check"):
                break
            if patient.page.step == "contact":
                patient.says |= born(patient.draft.content["answers"]["age_years"])
            patient.answer()
            assert patient.page.status == 200, (patient.page.step, patient.page.errors)
        if patient.page.step == "emergency":
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
            if not page.form.asked or page.path == "/intake/legs/p/about/":
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
            assert patient.insist().status == 200, patient.page.errors
        if patient.page.step == "emergency":
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
