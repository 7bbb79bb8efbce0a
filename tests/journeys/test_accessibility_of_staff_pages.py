"""Every kind of page for editors and staff in light and dark, for a screen reader, on a phone."""

from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal.auth import TOTP

from education.models import Page
from education.services import editing, pictures
from intake.appointments import waiting_list
from intake.models.submissions import Urgency
from intake.my_page import replies
from intake.ways import calls
from tests import builders
from tests.desk import (
    CALLS,
    FRONT_DESK,
    VISITS,
    WAITING,
    WORKLIST,
    desk_page_of,
    page_of,
    visit_page,
    waiting,
)
from tests.education import desk
from tests.education.browser import at
from tests.education.samples import png
from tests.intake import book
from tests.journeys.conftest import Window
from tests.journeys.judging import EVIL, Judge

pytestmark = pytest.mark.journey


def test_every_page_of_the_editors_side_keeps_nobody_out(window, pages_to_read):
    # given: an editor who changed the page about iron, asked for a review, and added a picture
    page = page_about_iron_that_waits_for_review()
    # given: the editor and a clinician, each at a computer
    editor = window("desk", "content editor", "ed", reduced_motion="reduce")
    clinician = window("desk", "clinician", "dr-who", reduced_motion="reduce")
    judge, clinicians_judge = Judge(editor), Judge(clinician)

    # when: the editor begins a new page and a new picture, and stores each too early
    judge.opens({"/admin/education/page/add/": "Next steps"})
    store_at_once(editor)
    judge.sees("There is a problem")
    judge.opens({"/admin/education/picture/add/": "What it shows"})
    store_at_once(editor)
    judge.sees("There is a problem")

    # when: the editor opens every other page
    judge.opens(
        {
            "/admin/": "Add a page",
            "/admin/education/page/?review=overdue": "Nothing fits",
            at(page): "Store the draft",
            at(page, "preview"): "On a wide screen",
            f"{at(page, 'preview')}?width=wide": "On a phone",
            at(page, "shown"): "Preview",
            at(page, "history"): "1 line added",
            "/admin/education/picture/": "leg-vein",
        }
    )

    # when: the clinician opens the page to review it
    clinicians_judge.opens({at(page): "I reviewed this text"})

    # then: no page kept anybody out
    assert judge.faults + clinicians_judge.faults == []


def test_every_page_of_the_staffs_side_keeps_nobody_out(window):
    # given: a clinic with a patient who bleeds and typed program code in place of a name, an
    # overdue patient, a visit, a patient on the waiting list, and a patient to call
    clinic = a_full_clinic()
    # given: a clinician with an authenticator app, the front desk, an auditor, an administrator
    clinician = window("desk", "clinician", reduced_motion="reduce")
    front_desk = window("desk", "front desk", reduced_motion="reduce")
    auditor = window("desk", "auditor", reduced_motion="reduce")
    administrator = window("desk", "administrator", reduced_motion="reduce")
    judges = [Judge(person) for person in (clinician, front_desk, auditor, administrator)]
    clinicians_judge, front_desks_judge, auditors_judge, administrators_judge = judges

    # when: the clinician opens the worklist, unfolds a filter, and looks for an unknown name
    clinicians_judge.opens({WORKLIST: "Worklist"})
    clinician.clicks("Urgency: All")
    clinicians_judge.looks()
    clinician.writes("nobody of that name", "Find")
    clinician.presses("Search")

    # then: the list says that it has no such patient
    clinicians_judge.sees("Nothing fits")

    # when: the clinician opens a filtered list and the serious patient, and decides too early
    clinicians_judge.opens(
        {
            f"{WORKLIST}?status=all&urgency=soon": "Clear filters",
            clinic.serious.replace("change", "preview"): "Red flags",
            clinic.serious: "<img src=x",
        }
    )
    clinician.presses("Store the decision")

    # then: the page says that there is a problem
    clinicians_judge.sees("There is a problem")

    # when: the clinician takes the patient
    clinician.presses("Take it")

    # then: the clinician can give the patient back
    clinicians_judge.sees("Give it back")

    # when: the clinician opens the red flags, the own leave, the own account and a letter
    clinicians_judge.opens(
        {
            "/admin/intake/openredflag/": "Open red flags",
            "/admin/intake/leave/": "Add leave",
            "/admin/intake/leave/add/": "When the leave begins",
            "/account/2fa/": "Authenticator app",
            "/account/password/change/": "Change your password",
            "/account/2fa/webauthn/add/": "Add a passkey",
            clinic.letter: "To a referring doctor",
        }
    )

    # when: the front desk opens its lists and the patient who waits
    front_desks_judge.opens(
        {
            FRONT_DESK: "Contacts and appointments",
            clinic.serious_at_the_front_desk: "Appointment wished for",
            WORKLIST: "",
            clinic.waiting: "Free times that fit the wish",
        }
    )

    # when: the front desk books more than the hours allow, and does not say when
    front_desk.clicks("Book more than the hours allow")
    front_desk.presses("Book all the same")

    # then: the page says that there is a problem
    front_desks_judge.sees("There is a problem")

    # when: the front desk opens the visit, the waiting list, the call list, the opening hours and
    # the rota
    front_desks_judge.opens(
        {
            f"{VISITS}?when=coming": "Quentin Canary1",
            visit_page(clinic.visit): "Cancel it",
            visit_page(clinic.visit, "move"): "Move it to the chosen time",
            WAITING: "Offer a time",
            CALLS: "Left word",
            "/admin/intake/openinghours/": "Monday, 9 a.m. to 5 p.m.",
            "/admin/intake/openinghours/add/": "Patients at once",
            "/admin/intake/oncall/": "Add time on call",
            "/admin/intake/oncall/add/": "Gets the e-mail about each red flag",
            "/admin/intake/closure/add/": "Whole days",
        }
    )

    # when: the front desk closes the clinic on the day of the visit
    front_desk.writes(clinic.visit.starts.date().isoformat(), "First day")
    front_desk.presses("Save")

    # then: the page says that the visit would have no place
    front_desks_judge.sees("1 visit would no longer fit the hours")

    # when: the auditor opens the trail and its report, and the administrator the accounts
    auditors_judge.opens(
        {
            "/admin/clinic/event/": "Audit trail",
            "/admin/intake/accessreport/": "Check the trail now",
            "/admin/intake/accessreport/?since=2026-12-31&until=2026-01-01": "This day is before",
        }
    )
    administrators_judge.opens(
        {
            "/admin/auth/user/": "People",
            f"{clinic.account}change/": "Reset the second factor",
            f"{clinic.account}password/": "Set the password",
            "/admin/auth/user/add/": "New account",
        }
    )

    # then: no page kept anybody out
    assert [fault for judge in judges for fault in judge.faults] == []
    assert sum(judge.seen for judge in judges) >= 28


# --- how it is done -------------------------------------------------------------------------------


def page_about_iron_that_waits_for_review() -> Page:
    page = Page.objects.get(slug="iron", language="en")
    desk.change(page, title="Iron and your legs")
    editing.ask_for_review(page=page, by=desk.editor(), read=desk.read(page))
    pictures.add(slug="leg-vein", alt="A vein", data=png(), by=desk.editor())
    return page


def store_at_once(editor: Window) -> None:
    editor.clicks_on(editor.page.locator(".write button").first)


def a_full_clinic() -> SimpleNamespace:
    """Make what the pages of staff can show, and return the addresses of pages and the visit."""
    TOTP.activate(builders.member("clinician"), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    serious = builders.submission(
        {"name": f"Quentin {EVIL}", "proxy_name": f"Petra {EVIL}"},
        who="caregiver",
        vein_look=("varicose", "open_sore"),
        vein_bleed="last_7d",
        vein_sx=("heavy_ache",),
        wound_time="ge_2w",
        wound_signs=("on_foot_toe",),
        reason_text=f"It bleeds. {EVIL}",
    )
    replies.reply(submission=serious, text=f"It itches. {EVIL}", request_id="r")
    waiting("Otto Other", Urgency.EMERGENCY, hours=-30)
    book.clinician()
    visit = book.booked(book.patient(1), book.free(days=2))
    asks = book.patient(2)
    waiting_list.join_waitlist(submission=asks)
    calls.owe(submission=serious, reason="message", occasion="1")
    return SimpleNamespace(
        serious=page_of(serious),
        letter=f"{page_of(serious, 'letters')}?kind=referring",
        serious_at_the_front_desk=desk_page_of(serious),
        waiting=desk_page_of(asks),
        visit=visit,
        account=f"/admin/auth/user/{builders.member('front desk').pk}/",
    )
