"""Every kind of page in light and dark, for a screen reader, and on the smallest phone."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.test import Client

from education.models import Page
from education.services import editing, pictures
from intake.appointments import waiting_list
from intake.models.submissions import Urgency
from intake.my_page import replies
from intake.ways import calls
from tests import builders
from tests.desk import desk_page_of, page_of, waiting
from tests.education import desk
from tests.education.browser import at
from tests.education.samples import png
from tests.intake import book
from tests.journeys.conftest import SAYS, Window
from tests.journeys.test_coming_back import come_in

pytestmark = pytest.mark.journey
# text that a patient may type as a name; `Judge` reports a page that runs the text as code
EVIL = """<img src=x onerror="window.ran=1"><script>window.ran=1</script>'"></textarea>{{ ran }}"""


class Judge:
    """Judges the page of a window in every way it may be shown, and collects the faults."""

    def __init__(self, window: Window) -> None:
        self.window, self.faults, self.seen = window, [], 0

    def __call__(self, must_say: str = "") -> None:
        page = self.window.page
        self.seen += 1
        if must_say and must_say not in self.window.text:
            self.faults.append(f"{self.window.path} does not say {must_say!r}")
        if page.evaluate("'ran' in window"):
            self.faults.append(f"{self.window.path} runs what a patient wrote")
        page.emulate_media(color_scheme="light", forced_colors="none")
        self.faults += self.window.violations()
        page.emulate_media(color_scheme="dark")
        only = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
        self.faults += [f"dark: {fault}" for fault in self.window.violations("dark", **only)]
        page.emulate_media(color_scheme="light", forced_colors="active")
        self.faults += [*self.window.sideways(320), *self.window.sideways(360)]
        page.emulate_media(forced_colors="none")


def test_the_judge_finds_one_fault_on_a_page_of_known_kinds(window):
    phone = window(width=360)
    phone.open("/privacy/")
    assert phone.violations() == []
    assert phone.violations() == [], "now every kind of element of the page is known"
    phone.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    (fault,) = phone.violations()
    assert "label" in fault
    phone.page.evaluate(
        """() => { const pale = document.createElement('p'); pale.textContent = 'Pale';
        pale.className = 'pale'; pale.style.color = '#ddd'; pale.style.backgroundColor = '#fff';
        document.querySelector('main').append(pale); }"""
    )
    (fault,) = phone.violations()
    assert "color-contrast" in fault


def test_every_page_of_the_patients_side(window):
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    for path, says in (
        ("/", "Truffles"),
        ("/privacy/", ""),
        ("/accessibility/", ""),
        ("/language-help/", ""),
        ("/intake/", ""),
        ("/appointments/", ""),
        ("/intake/refused/", "Please call us"),
        ("/intake/resume/", "Go on where you stopped"),
        ("/my/", "Your request"),
        ("/my/find/", "Find your number"),
        ("/no-such-page/", ""),
        ("/account/login/", "Staff sign-in"),
    ):
        phone.open(path)
        judge(says)

    phone.open("/intake/")
    phone.press("Start, this device is mine")
    says = {"vein_look": ("varicose",), "vein_bleed": "last_7d", "vein_sx": ("none",)}
    judged = {"safety", "about", "reason", "lr7", "vein", "contact", "appointment"}
    everything = {**SAYS, **says}
    for _page in range(50):
        step = phone.step
        if step == "check":
            break
        if step in judged:
            judge()
            phone.press("Continue")
            if "There is a problem" in phone.text:
                judge("There is a problem")
        if phone.step != step:
            continue
        phone.fill(everything)
        phone.press("Continue")
        if phone.page.locator(".card.today").count() and phone.step != "check":
            judge("Today")
    judge("Check your answers")
    phone.press("Send")
    judge("We have your answers")
    phone.page.emulate_media(media="print")
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    on_paper = phone.page.locator(".done").evaluate(style)
    assert on_paper == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"], "the number can be read when printed"
    phone.page.emulate_media(media="screen")
    phone.open("/intake/leave/")
    judge("Leave and clear this device?")

    assert judge.faults == []
    assert judge.seen >= 22


def test_every_kind_of_page_to_read(window):
    call_command("load_pages", verbosity=0)
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    for path, says in (
        ("/conditions/", "Read about your legs"),
        ("/conditions/restless-legs/", "Draft: not yet approved"),
        ("/conditions/restless-legs/iron/", "Sources"),
        ("/conditions/restless-legs/medicines/", "Never start, stop or change"),
        ("/conditions/clots/", "Get help now"),
        ("/about/contact/", "When we are open"),
        ("/search/?q=jumpy legs", "fit"),
        ("/search/?q=restles leg", "fit"),
        ("/search/?q=zzzz quux", "No page fits these words"),
        ("/conditions/no-such-page/", "There is no such page"),
    ):
        phone.open(path)
        judge(says)

    phone.open("/")
    phone.page.locator(".doors a").first.click()
    assert phone.path == "/conditions/restless-legs/"
    assert judge.faults == []


def test_every_page_of_the_sitemap_in_each_language(window):
    call_command("load_pages", verbosity=0)
    phone = window(width=360, reduced_motion="reduce")
    found = re.findall(r"<loc>https?://[^/]+(/[^<]*)</loc>", Client().get("/sitemap.xml").text)
    faults = []
    for path in found:
        phone.open(path)
        faults += phone.violations()

    assert len(found) == len(set(found)) >= 54
    assert faults == []


def test_every_page_of_the_editors_side(window):
    call_command("load_pages", verbosity=0)
    page = Page.objects.get(slug="iron", language="en")
    editor, clinician = desk.editor(), desk.clinician()
    desk.change(page, title="Iron and your legs")
    editing.ask_for_review(page=page, by=editor, read=desk.read(page))
    pictures.add(slug="leg-vein", alt="A vein", data=png(), by=editor)
    faults = []
    for user, places in (
        (
            editor,
            (
                ("/admin/", "Add a page"),
                ("/admin/education/page/?review=overdue", "Nothing fits"),
                ("/admin/education/page/add/", "Next steps"),
                (at(page), "Store the draft"),
                (at(page, "preview"), "On a wide screen"),
                (f"{at(page, 'preview')}?width=wide", "On a phone"),
                (at(page, "shown"), "Preview"),
                (at(page, "history"), "1 line added"),
                ("/admin/education/picture/", "leg-vein"),
                ("/admin/education/picture/add/", "What it shows"),
            ),
        ),
        (clinician, ((at(page), "I reviewed this text"),)),
    ):
        screen = window(user, width=1280, reduced_motion="reduce")
        judge = Judge(screen)
        for path, says in places:
            screen.page.set_viewport_size({"width": 1280, "height": 800})
            screen.open(path)
            judge(says)
            if path.endswith("/add/"):
                screen.page.locator(".write button").first.click()
                judge("There is a problem")
        faults += judge.faults

    assert faults == []


def test_the_pages_that_stop_the_form(window):
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.page.locator('[value="cold_leg_sudden"]').check()
    phone.press("Continue")
    judge("Get help now")
    phone.press("Tell the clinic")
    judge("There is a problem")
    phone.press("I picked this by mistake, go back")
    judge()
    phone.page.locator('[value="cold_leg_sudden"]').uncheck()
    phone.walk_to("about")
    phone.fill(SAYS)
    phone.page.locator('[name="age_years"]').fill("15")
    phone.press("Continue")
    judge("Please ask a parent or guardian")

    assert judge.faults == []


def test_the_pages_of_who_comes_back(window):
    submission = builders.submission()
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.press("Save and come back later")
    judge("Save and come back later")
    phone.press("Save")
    judge("There is a problem")
    phone.page.get_by_label("Your e-mail address").fill("other@example.org")
    phone.press("Save")
    judge("Your answers are saved")
    come_in(phone, submission.reference)
    judge("Where it stands")
    phone.press("Send")
    judge("There is a problem")
    phone.follow("Take this request back")
    judge("Take this request back?")
    phone.follow("Keep it")
    phone.page.get_by_label("Write to us").fill("I cannot breathe")
    phone.press("Send")
    judge("Get help now")
    phone.open("/my/code/")
    judge("Enter your code")

    assert judge.faults == []
    assert judge.seen >= 8


def test_every_page_of_the_staffs_side(window):
    clinician, mia = builders.member("clinician"), builders.member("front desk")
    TOTP.activate(clinician, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
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
    faults, seen = [], 0
    places = {
        clinician: (
            ("/admin/intake/submission/", "Worklist"),
            ("/admin/intake/submission/?status=all&urgency=soon", "Clear filters"),
            (page_of(serious), "<img src=x"),
            ("/account/2fa/", "Authenticator app"),
            ("/account/password/change/", "Change your password"),
        ),
        mia: (
            ("/admin/intake/frontdesk/", "Contacts and appointments"),
            (desk_page_of(serious), "Appointment wished for"),
            ("/admin/intake/submission/", ""),
            (desk_page_of(asks), "Free times that fit the wish"),
            ("/admin/intake/appointment/?when=coming", "Quentin Canary1"),
            (f"/admin/intake/appointment/{visit.pk}/change/", "Cancel it"),
            (f"/admin/intake/appointment/{visit.pk}/move/", "Move it to the chosen time"),
            ("/admin/intake/waitlistentry/", "Offer a time"),
            ("/admin/intake/calltask/", "Left word"),
            ("/admin/intake/openinghours/", "Monday, 9 a.m. to 5 p.m."),
            ("/admin/intake/openinghours/add/", "Patients at once"),
            ("/admin/intake/closure/add/", "Whole days"),
        ),
        builders.member("auditor"): (("/admin/clinic/event/", "Audit trail"),),
        builders.member("administrator"): (
            ("/admin/auth/user/", "People"),
            (f"/admin/auth/user/{mia.pk}/change/", "Reset the second factor"),
            (f"/admin/auth/user/{mia.pk}/password/", "Set the password"),
            ("/admin/auth/user/add/", "Add user"),
        ),
    }
    for user, pages in places.items():
        screen = window(user, width=1280, reduced_motion="reduce")
        judge = Judge(screen)
        for path, says in pages:
            screen.page.set_viewport_size({"width": 1280, "height": 800})
            screen.open(path)
            judge(says)
            if path == page_of(serious):
                screen.press("Store the decision")
                judge("There is a problem")
                screen.press("Take it")
                judge("Give it back")
            if path.endswith("/submission/") and user is clinician:
                screen.page.get_by_text("Urgency: All").click()
                judge()
                screen.page.get_by_label("Find").fill("nobody of that name")
                screen.press("Search")
                judge("Nothing fits")
            if path == desk_page_of(asks):
                screen.page.get_by_text("Book more than the hours allow", exact=True).click()
                screen.press("Book all the same")
                judge("There is a problem")
            if path == "/admin/intake/closure/add/":
                day = visit.starts.date().isoformat()
                screen.page.get_by_label("First day").fill(day)
                screen.press("Save")
                judge("1 visit would no longer fit the hours")
        faults += judge.faults
        seen += judge.seen

    assert faults == []
    assert seen >= 28
