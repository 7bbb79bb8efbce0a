"""All that decides stands on the first screen of a submission, and no long word breaks the page."""

import pytest
from django.core.management import call_command

from intake.models.submissions import Kind, Submission, Urgency
from intake.my_page import replies
from intake.ways import calls
from tests import builders
from tests.desk import page_of, waiting
from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey
SCREEN = {"width": 1280, "height": 900}
LINK = f"https://example.org/{'a' * 3000}"


def test_what_decides_stands_on_the_first_screen(window):
    # given: the demonstration's people, and a patient who wrote words of danger
    people = people_of_the_demonstration()
    alarmed = a_patient_who_wrote_words_of_danger()
    # given: a clinician at a screen of 1280 by 900
    clinician = window("desk", "clinician", "dr-who")

    # when: the clinician opens each of them
    below = [fault for person in people for fault in below_the_screen(clinician, person)]
    alarm = bottom_of_the_alarm(clinician, alarmed)

    # then: the reasons and the button of the decision are on the screen without scrolling
    assert below == []
    # then: the words of danger stand within the first 300 pixels
    assert alarm < 300


def test_a_long_link_breaks_no_page(window):
    # given: a patient with a link of 3,000 letters in the own words, a message and a note
    submission = a_patient_with_long_links()
    # given: a clinician at a computer
    clinician = window("desk", "clinician", "dr-who")

    # when: the clinician opens the page
    clinician.opens(page_of(submission))

    # then: nobody scrolls sideways, at the computer, on a tablet and on a phone
    clinician.needs_no_sideways_scrolling(1280, 768, 390)


# --- how it is done -------------------------------------------------------------------------------


def people_of_the_demonstration() -> list[Submission]:
    call_command("demo", submissions=20, seed=3, verbosity=0)
    return list(Submission.objects.exclude(kind=Kind.PART_2))


def a_patient_who_wrote_words_of_danger() -> Submission:
    submission = waiting(urgency=Urgency.SOON)
    replies.reply(submission=submission, text="My toe has turned black. I am now short of breath.")
    return submission


def a_patient_with_long_links() -> Submission:
    submission = builders.submission(reason_text=f"See {LINK}", meds_list=LINK)
    Submission.objects.filter(pk=submission.pk).update(urgency=Urgency.SAME_DAY)
    replies.reply(submission=submission, text=f"See {LINK}")
    calls.record(
        submission=submission,
        outcome="not_reached",
        words=f"See {LINK}",
        by=builders.member("clinician"),
        request_id="r",
    )
    calls.owe(submission=submission, reason="more", occasion="1")
    return submission


def below_the_screen(clinician: Window, submission: Submission) -> list[str]:
    """Return what of the reasons and the decision stands below the first screen."""
    clinician.page.set_viewport_size(SCREEN)
    clinician.opens(page_of(submission))
    decides = clinician.page.locator("#decide").count()
    parts = ["#why > .why", *(["#decide > .button"] if decides else [])]
    return [
        f"{submission.reference}: {part} ends at {end}"
        for part in parts
        if (end := bottom(clinician, part)) > SCREEN["height"]
    ]


def bottom_of_the_alarm(clinician: Window, submission: Submission) -> float:
    clinician.page.set_viewport_size(SCREEN)
    clinician.opens(page_of(submission))
    return bottom(clinician, ".strip.now")


def bottom(clinician: Window, selector: str) -> float:
    box = clinician.page.locator(selector).first.bounding_box()
    assert box, selector
    return box["y"] + box["height"]
