"""Every kind of page for patients in light and dark, for a screen reader, on the smallest phone."""

import re

import pytest
from django.test import Client

from tests import builders
from tests.intake.clinic_pages import samples as clinic_samples
from tests.journeys.conftest import SAYS, Window
from tests.journeys.judging import Judge

pytestmark = pytest.mark.journey

# addresses of pages, and words that each page must say
PATIENTS = {
    "/": "Truffles",
    "/privacy/": "",
    "/accessibility/": "",
    "/language-help/": "",
    "/nondiscrimination/": "",
    "/intake/": "",
    "/appointments/": "",
    "/intake/refused/": "You can call us instead",
    "/intake/resume/": "Continue where you stopped",
    "/my/": "Your request",
    "/my/find/": "Find your number",
    "/no-such-page/": "",
    "/account/login/": "Staff sign-in",
}
TO_READ = {
    "/conditions/": "Read about your legs",
    "/conditions/restless-legs/": "Draft: not yet approved",
    "/conditions/restless-legs/iron/": "Sources",
    "/conditions/restless-legs/medicines/": "Never start, stop or change",
    "/conditions/clots/": "Get help now",
    "/about/contact/": "When we are open",
    "/contact/": "Straight ahead: past the fountain",
    "/people/": "Dr. Okafor",
    "/visits/": "By video",
    "/costs/": "Example Health PPO",
    "/search/?q=jumpy legs": "We found",
    "/search/?q=restles leg": "Here is what we found for",
    "/search/?q=zzzz quux": "We found no page with these words",
    "/conditions/no-such-page/": "We cannot find this page",
}
COLD_LEG = "a leg or foot suddenly cold"


def test_the_judge_finds_one_fault_on_a_page_of_known_kinds(window):
    # given: a page without a fault, whose every kind of element the judge has seen
    patient = window("phone")
    patient.opens("/privacy/")
    patient.finds_no_barrier()
    patient.finds_no_barrier()  # now the judge knows every kind of element here

    # when: the page gets a box without words
    add_a_box_without_words(patient)

    # then: the judge finds this box
    (fault,) = patient.violations()
    assert "label" in fault

    # when: the page gets words in a colour that is hard to read
    add_pale_words(patient)

    # then: the judge finds these words
    (fault,) = patient.violations()
    assert "color-contrast" in fault


def test_every_page_of_the_patients_side_keeps_nobody_out(window):
    # given: a patient on a phone that moves nothing
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)

    # when: the patient opens every page on which a patient can begin
    judge.opens(PATIENTS)

    # when: the patient, whose vein bled in the last days, answers the questions
    patient.starts()
    answer_with_slips(patient, judge)

    # then: the patient can check the answers and send them
    judge.sees("Check your answers")
    patient.sends()
    judge.sees("We have your answers")

    # then: the number of the request can be read on paper
    assert colours_on_paper(patient) == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"]

    # when: the patient leaves
    patient.opens("/intake/leave/")
    judge.sees("Leave and clear this device?")

    # then: no page kept anybody out
    assert judge.faults == []
    assert judge.seen >= 22


def test_every_kind_of_page_to_read_keeps_nobody_out(window, pages_to_read):
    # given: a clinic that has entered all about itself
    clinic_samples.whole()

    # given: a patient on a phone that moves nothing
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)

    # when: the patient reads about legs, and searches
    judge.opens(TO_READ)

    # then: no page kept anybody out
    assert judge.faults == []

    # when: the patient follows the first door of the front page
    patient.opens("/")
    follow_the_first_door(patient)

    # then: the patient finds all pages to read
    patient.is_at("/conditions/")


def test_every_page_of_the_sitemap_keeps_nobody_out_in_each_language(window, pages_to_read):
    # given: all pages that search engines are told of
    patient = window("phone", reduced_motion="reduce")
    found = paths_of_the_sitemap()
    assert len(found) == len(set(found)) >= 54

    # when: a patient opens each of these pages
    faults = []
    for path in found:
        patient.opens(path)
        faults += patient.violations()

    # then: no page keeps anybody out
    assert faults == []


def test_the_pages_that_stop_the_form_keep_nobody_out(window):
    # given: a patient on a phone that moves nothing
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)
    patient.starts()

    # when: the patient answers that one leg is suddenly cold
    patient.chooses(COLD_LEG)
    patient.presses("Continue")

    # then: the page says where to get help
    judge.sees("Get help now")

    # when: the patient tells the clinic, but leaves no number
    patient.presses("Tell the clinic")

    # then: the page says that there is a problem
    judge.sees("There is a problem")

    # when: the patient says that this was a mistake, and that the patient is 15 years old
    patient.presses("I picked this by mistake, go back")
    judge.looks()
    patient.unchooses(COLD_LEG)
    patient.fills_in_until("about")
    patient.answers(**{**SAYS, "age_years": 15})
    patient.presses("Continue")

    # then: the page asks for a grown-up
    judge.sees("Please ask a parent or guardian")
    assert judge.faults == []


def test_the_pages_of_a_patient_who_comes_back_keep_nobody_out(window):
    # given: a patient whose answers the clinic has, and who has begun to answer once more
    submission = builders.submission()
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)
    patient.starts()

    # when: the patient saves these answers, first without an e-mail address
    patient.presses("Save and come back later")
    judge.sees("Save and come back later")
    patient.presses("Save")
    judge.sees("There is a problem")
    patient.writes("other@example.org", "Your e-mail address")
    patient.presses("Save")

    # then: the answers are saved
    judge.sees("Your answers are saved")

    # when: the patient looks at what the clinic has, and sends a message without words
    patient.comes_back_with(submission.reference)
    judge.sees("Where your request stands")
    patient.sends()

    # then: the page says that there is a problem
    judge.sees("There is a problem")

    # when: the patient thinks of taking the request back, but keeps it
    patient.follows("Withdraw this request")
    judge.sees("Withdraw this request?")
    patient.follows("Keep it")

    # when: the patient writes of an emergency
    patient.writes("I cannot breathe", "Write to us")
    patient.sends()

    # then: the page says where to get help
    judge.sees("Get help now")

    # when: the patient needs another code
    patient.opens("/my/code/")

    # then: the page asks for the code
    judge.sees("Enter your code")
    assert judge.faults == []
    assert judge.seen >= 8


# --- how it is done in the browser ----------------------------------------------------------------


def add_a_box_without_words(patient: Window) -> None:
    patient.page.evaluate("document.querySelector('main').append(document.createElement('input'))")


def add_pale_words(patient: Window) -> None:
    patient.page.evaluate(
        """() => { const pale = document.createElement('p'); pale.textContent = 'Pale';
        pale.className = 'pale'; pale.style.color = '#ddd'; pale.style.backgroundColor = '#fff';
        document.querySelector('main').append(pale); }"""
    )


def answer_with_slips(patient: Window, judge: Judge) -> None:
    """Answer all questions. On some pages, first press Continue without answers.

    The judge looks at these pages before and after, when they show errors.
    """
    says = {"vein_look": ("varicose",), "vein_bleed": "last_7d", "vein_sx": ("none",)}
    everything = {**SAYS, **says}
    left = {"safety", "about", "reason", "rls-4", "veins", "contact", "appointment"}
    for _page in range(50):
        step = patient.step
        if step == "check":
            assert not left
            return
        if step in left:
            left.remove(step)
            judge.looks()
            patient.presses("Continue")
            if "There is a problem" in patient.text:
                judge.looks()
        if patient.step != step:
            continue
        patient.answers(**everything)
        patient.presses("Continue")
        if patient.page.locator(".card.today").count() and patient.step != "check":
            judge.sees("Today")


def colours_on_paper(patient: Window) -> list[str]:
    """Return the colour of the words and the colour behind the words, as they are printed."""
    patient.page.emulate_media(media="print")
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    found = patient.page.locator(".done").evaluate(style)
    patient.page.emulate_media(media="screen")
    return found


def follow_the_first_door(patient: Window) -> None:
    patient.clicks_on(patient.page.locator(".doors a").first)


def paths_of_the_sitemap() -> list[str]:
    return re.findall(r"<loc>https?://[^/]+(/[^<]*)</loc>", Client().get("/sitemap.xml").text)
