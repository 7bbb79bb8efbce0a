"""Staff at work in a real browser."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.utils import timezone

from clinic.models import Message
from intake.models.submissions import Decision, Submission, Urgency
from tests import builders
from tests.desk import FRONT_DESK, WORKLIST, page_of, waiting
from tests.intake import book
from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey

PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_clinician_signs_in_reads_why_decides_and_it_leaves_the_list(window):
    # given: a clinician with a password and an authenticator app
    has_an_account("dr-lee")
    # given: a patient who can wait, and a patient whose vein bled in the last days
    later = waiting("Rita Routine", Urgency.ROUTINE)
    first = builders.submission(vein_look=("varicose",), vein_bleed="last_7d", vein_sx=("none",))

    # when: the clinician signs in
    clinician = window("desk")
    clinician.opens("/admin/")
    clinician.writes("dr-lee", "Username")
    clinician.writes(PASSWORD, "Password")
    clinician.presses("Sign in")
    clinician.sees("Your second factor")
    write_digits_of_the_app(clinician)
    clinician.presses("Sign in")

    # then: the patient whose vein bled stands first on the worklist
    assert "Worklist" in clinician.title
    assert first.reference in row_of_the_list(clinician, 1)
    assert "Rita Routine" in row_of_the_list(clinician, 2)

    # when: the clinician opens this patient's page
    clinician.follows(first.person["name"])

    # then: the page says what is serious
    clinician.sees("Red flags", "last 7 days")

    # when: the clinician takes the patient
    clinician.presses("Take it")

    # then: the decision begins with the urgency that the rules found
    clinician.sees("Give it back")
    assert chosen_urgency(clinician) == str(first.urgency)

    # when: the clinician decides that the patient is called today
    clinician.selects("Call the patient today", "What happens now")
    clinician.writes("Compression, call at noon.", "Note")
    clinician.presses("Store the decision")

    # then: the decision is stored, with its note
    clinician.sees(f"Decision on {first.reference} stored.")
    assert heading(clinician) == "Quentin Canary"
    assert note_of_the_decision() == "Compression, call at noon."

    # when: the clinician goes on to the next patient
    clinician.follows(f"Open next: {later.reference} (Routine)")

    # then: the patient who can wait comes
    assert heading(clinician) == "Rita Routine"

    # when: the clinician goes back to the worklist
    clinician.follows("Worklist")

    # then: only the patient who can wait is there
    clinician.does_not_see(first.reference)
    clinician.sees(later.reference)

    # when: the clinician signs out, and a stranger opens the worklist at this computer
    clinician.presses("Sign out")
    clinician.opens(WORKLIST)

    # then: the computer asks for a sign-in
    clinician.sees("Staff sign-in")


def test_a_clinician_who_comes_second_reads_it_again_and_loses_no_word(window):
    # given: two clinicians who read the page of one patient
    patient = waiting("Quentin Canary", Urgency.SOON)
    one = window("desk", "clinician", "dr-one")
    other = window("desk", "clinician", "dr-two")
    one.opens(page_of(patient))
    other.opens(page_of(patient))

    # when: the second clinician writes a decision, the first clinician takes the patient, and the
    # second clinician stores the decision
    other.writes("Written with care.", "Note")
    other.selects("Book a visit soon", "What happens now")
    one.presses("Take it")
    other.presses("Store the decision")

    # then: the second clinician is told to read again, and the written words are still there
    other.sees("Somebody changed this submission while you were reading.")
    assert other.focus() == "problem"
    assert written(other, "Note") == "Written with care."

    # when: the second clinician stores the decision again
    other.presses("Store the decision")

    # then: the decision counts
    assert how_it_stands(patient) == "decided"


def test_the_front_desk_finds_the_patient_and_notes_the_call(window):
    # given: two patients who ask for an appointment
    waiting("Otto Other")
    wanted = builders.submission({"name": "Beatriz Hansen"})

    # when: the front desk looks for one of the two patients, with a name that is misheard
    front_desk = window("desk", "front desk")
    front_desk.opens("/admin/")
    front_desk.writes("beatris hanson", "Find")
    front_desk.presses("Search")

    # then: the list shows only the wanted patient
    front_desk.sees("1 match")

    # when: the front desk opens the patient's page
    front_desk.follows(wanted.reference)

    # then: the phone number is a link
    front_desk.sees_one_link("(202) 555-0147")

    # when: the front desk notes that the patient was called
    front_desk.selects("Patient called", "Note")
    front_desk.presses("Store")

    # then: the list says that the patient was called
    assert book.progress(wanted) == "called"
    front_desk.follows("Contacts and appointments")
    front_desk.sees("Patient called")


def test_the_filters_of_the_worklist_work_without_scripts(window):
    # given: a patient for the same day and a patient who can wait
    waiting("Sam Sameday", Urgency.SAME_DAY)
    waiting("Rita Routine", Urgency.ROUTINE)
    clinician = window("phone", "clinician", scripts=False)
    clinician.opens(WORKLIST)

    # when: a clinician asks for the patients of the same day
    clinician.clicks("Urgency: All")
    clinician.follows("Same day 1")

    # then: the patient who can wait is not shown
    clinician.sees("Sam Sameday")
    clinician.does_not_see("Rita Routine")

    # when: the clinician clears the filters
    clinician.follows("Clear filters")

    # then: the patient who can wait is there again
    clinician.sees("Rita Routine")


def test_a_message_that_failed_is_seen_and_tried_again_by_its_button(window):
    # given: a patient to whom a message could not be sent
    patient = waiting("Otto Other")
    the_mail_server_refused_all_messages("smtp 550")

    # when: the front desk opens its list
    front_desk = window("desk", "front desk")
    front_desk.opens(FRONT_DESK)

    # then: the front desk reads that a message failed
    front_desk.sees("A message could not be sent.")
    front_desk.finds_no_barrier()

    # when: the front desk asks which message failed
    front_desk.follows("See which, and tell the person in another way.")

    # then: the front desk reads whose message it is, and what the mail server said
    front_desk.sees(patient.reference, "smtp 550")
    front_desk.finds_no_barrier()

    # when: the front desk has the message sent again
    front_desk.presses("Try again")

    # then: the message waits to be sent, and nothing is said to have failed
    front_desk.sees("Done.")
    front_desk.does_not_see("A message could not be sent.")
    assert the_message_waits_to_be_sent()


# --- how it is done in the browser ----------------------------------------------------------------


def has_an_account(username: str) -> None:
    """Give a clinician a password and the secret of an authenticator app."""
    user = builders.member("clinician", username)
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    cache.clear()


def write_digits_of_the_app(clinician: Window) -> None:
    clinician.page.get_by_role("textbox").fill(builders.totp(SECRET))


def row_of_the_list(clinician: Window, number: int) -> str:
    return clinician.page.locator("#result_list tbody tr").nth(number - 1).inner_text()


def heading(clinician: Window) -> str:
    return clinician.page.locator("h1").inner_text()


def chosen_urgency(clinician: Window) -> str:
    return clinician.page.locator("[name=urgency]:checked").get_attribute("value")


def written(clinician: Window, label: str) -> str:
    return clinician.page.get_by_label(label).input_value()


def note_of_the_decision() -> str:
    return Decision.objects.get().words["note"]


def how_it_stands(patient: Submission) -> str:
    return Submission.objects.get(pk=patient.pk).status


def the_mail_server_refused_all_messages(error: str) -> None:
    Message.objects.update(state="failed", error=error, finished_at=timezone.now())


def the_message_waits_to_be_sent() -> bool:
    return Message.objects.get().state == "waiting"
