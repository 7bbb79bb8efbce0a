"""One page in two windows: an answer given since is never changed without asking."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from intake.models.submissions import Draft
from tests.examples import examples
from tests.intake.patient import FORM, Page, Patient, step_url, urlencoded
from tests.intake.questionnaire.everything import PROTOCOL, at

pytestmark = pytest.mark.django_db

TITLE = "You answered this in another window."
# one question of each type: the answer of the other window, and a later one of the older window
OTHER_ANSWERS: dict[str, tuple[Any, Any]] = {
    "tobacco": ("former", "current"),
    "iron_results": ("no", "yes_numbers"),
    "meds_classes": (("none",), ("antihistamine_sedating", "dopamine_agonist")),
    "reason_text": ("It creeps.", "It\r\nburns."),
    "ferritin": ("30", "61.5"),
    "age_years": (50, 51),
}


def open_twice(question: str, **says: Any) -> tuple[Patient, Page, Page]:
    """Open the page of a question in two windows that show the same."""
    patient = at("check", **says)
    step = PROTOCOL.question(question).page
    return patient, patient.get(step_url(step)), patient.get(step_url(step))


def go_on(patient: Patient, window: Page, **says: Any) -> Page:
    """Press Continue in a window that shows this page."""
    patient.seen.append(window)
    return patient.answer(**says)


def stored(question: str) -> Any:
    return Draft.objects.get().content["answers"].get(question)


def as_stored(value: Any) -> Any:
    plain = value.replace("\r\n", "\n") if isinstance(value, str) else value
    return list(plain) if isinstance(plain, tuple) else plain


@pytest.mark.parametrize("keeps", ["this", "other"])
@pytest.mark.parametrize("question", OTHER_ANSWERS)
def test_an_older_window_asks_which_of_two_answers_to_keep(question, keeps):
    theirs, mine = OTHER_ANSWERS[question]
    patient, one, other = open_twice(question)
    go_on(patient, other, **{question: theirs})
    page = go_on(patient, one, **{question: mine})
    assert (page.status, TITLE in page.text) == (409, True)
    assert patient.requests[-2][2].status_code == 303
    assert stored(question) == as_stored(theirs)
    assert patient.get(page.url).text == page.text  # a reload asks the same
    assert page.form.asked == [f"keep_{question}"]
    page = patient.press("continue", {**page.form.values, f"keep_{question}": keeps})
    assert TITLE not in page.text
    assert stored(question) == as_stored(mine if keeps == "this" else theirs)
    assert "returned" not in patient.draft.content


def test_both_answers_are_shown_in_words_and_a_missing_choice_is_said():
    patient, one, other = open_twice("tobacco")
    go_on(patient, other, tobacco="former")
    page = go_on(patient, one, tobacco="current")
    assert "This window: Yes, now" in page.text
    assert "The other window: I used to" in page.text
    page = patient.press("continue")
    assert (page.status, page.errors) == (409, ["Choose the answer that you want to keep."])
    assert page.title.startswith("Error: ")
    assert stored("tobacco") == "former"


@pytest.mark.parametrize("question", OTHER_ANSWERS)
def test_an_older_window_that_changes_nothing_given_since_just_goes_on(question):
    theirs, _mine = OTHER_ANSWERS[question]
    patient, one, other = open_twice(question)
    go_on(patient, other, **{question: theirs})
    page = go_on(patient, one, **{question: theirs})
    assert (page.status, TITLE in page.text) == (200, False)


def test_a_window_that_is_not_older_changes_what_it_likes():
    patient, _one, other = open_twice("tobacco")
    go_on(patient, other, tobacco="former")
    patient.get(step_url("life"))
    assert TITLE not in patient.answer(tobacco="current").text
    assert stored("tobacco") == "current"


def test_a_danger_ticked_in_the_older_window_counts_at_once():
    patient, one, other = open_twice("em_now")
    go_on(patient, other, em_now=("none",))
    assert go_on(patient, one, em_now=("chest_or_breath",)).step == "emergency"


def test_a_danger_written_in_the_older_window_counts_at_once():
    patient, one, other = open_twice("reason_text")
    go_on(patient, other, reason_text="It creeps.")
    page = go_on(patient, one, reason_text="I want to kill myself.")
    assert TITLE not in page.text
    assert stored("reason_text") == "I want to kill myself."


@pytest.mark.parametrize(
    ("question", "theirs", "mine", "counts"),
    [
        ("tobacco", "former", "current", "former"),
        ("reason_text", "It creeps.", "It burns.", "It creeps."),
        ("reason_text", "It creeps.", "I want to kill myself.", "I want to kill myself."),
    ],
)
def test_save_in_an_older_window_changes_an_answer_given_since_only_if_it_is_a_danger(
    question, theirs, mine, counts
):
    patient, one, other = open_twice(question)
    go_on(patient, other, **{question: theirs})
    patient.seen.append(one)
    patient.press("save", patient.filled(**{question: mine}))
    assert stored(question) == counts
    if counts == theirs:
        page = patient.get(one.url)
        assert page.form.values[question] == [mine]
        assert TITLE in patient.answer(**{question: mine}).text


def test_an_error_in_the_older_window_comes_first_and_then_the_question_which_to_keep():
    patient, one, other = open_twice("age_years")
    go_on(patient, other, age_years=50)
    page = go_on(patient, one, age_years="x")
    assert page.status == 422
    page = patient.answer(age_years=51)
    assert (page.status, TITLE in page.text) == (409, True)


def test_a_page_that_names_no_revision_or_nonsense_saves_as_before():
    """A page of the release before names no revision."""
    patient, one, other = open_twice("tobacco")
    for revision in (None, "", "x", "-1", "9" * 40, "１"):
        go_on(patient, other, tobacco="former")
        data = {**one.form.values, "tobacco": "current", "revision": revision}
        data = {name: value for name, value in data.items() if value is not None}
        response = patient.client.post(step_url("life"), urlencoded(data), **FORM)
        assert response.status_code == 302
        assert stored("tobacco") == "current"
        other = patient.get(step_url("life"))


@pytest.mark.usefixtures("roomy")
class TestTwoWindows(TestCase):
    @hypothesis(
        max_examples=examples(8),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["one", "two", "three"]),
                st.sampled_from(["reload", "several_days", "not_at_all", "more_than_half"]),
                st.sampled_from(["not_at_all", "several_days", None]),
                st.sampled_from(["this", "other"]),
            ),
            min_size=2,
            max_size=12,
        )
    )
    def test_in_any_order_an_answer_given_since_changes_only_by_choice(self, acts):
        """Compare the program with a list of what each window has seen."""
        patient = at("check")
        url = step_url(PROTOCOL.question("phq2_down").page)
        pages = {window: patient.get(url) for window in ("one", "two", "three")}
        now = {q: stored(q) for q in ("phq2_interest", "phq2_down")}
        unseen: dict[str, set[str]] = {window: set() for window in pages}
        for window, interest, down, choice in acts:
            if interest == "reload":
                pages[window], unseen[window] = patient.get(url), set()
                continue
            says = {"phq2_interest": interest, "phq2_down": down}
            page = go_on(patient, pages[window], **says)
            asks = [q for q in says if q in unseen[window] and says[q] != now[q]]
            assert page.form.asked == [f"keep_{q}" for q in asks] or not asks
            assert (TITLE in page.text) == bool(asks)
            if asks:
                choices = {f"keep_{q}": choice for q in asks}
                patient.press("continue", {**page.form.values, **choices})
            for q, said in says.items():
                if q not in asks or choice == "this":
                    if now[q] != said:
                        for seen in unseen.values():
                            seen.add(q)
                    now[q] = said
            assert {q: stored(q) for q in now} == now
