"""People at a real browser: what they do, what they see, and what the browser complains of.

In a journey the variable `patient` is the patient's browser window. The methods of a window are
verbs that say what the person does: `patient.chooses("By video")`, `patient.sees("Your
appointment")`. This module tells the browser what to do for each verb. Every request, error message
and page width is checked.

Without Chromium the journeys are skipped, and one sentence says so. If CLINIC_REQUIRE_BROWSER=1 is
set, the tests fail instead.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

from clinic.models import Message
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.builders import CONTACT_DETAILS, ORDINARY
from tests.intake.patient import CONTACT, WISH, Patient
from tests.journeys import judging

# the shell comes first, because it draws no windows and takes half the processor time
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
LEFT_OUT = (
    "The browser journeys were left out: no Chromium was found. To run them, install one"
    " (Debian: apt-get install chromium-headless-shell) or name it in CHROMIUM=/path/to/chromium."
)
# parts of the test patients' names and phone number, which no address may contain
CANARIES = ("canary", "quentin", "5550147", "555-0147")
SAYS: dict[str, Any] = {**ORDINARY, **CONTACT, **WISH}
MAILBOX = CONTACT_DETAILS["email"]
WIDTHS = {"phone": 360, "tablet": 800, "desk": 1280}
# where a time can be ticked on a page
TIMES = {
    "the free times": '[name="slot"]',
    "the offered times": '[name="offer"]',
    "the times that fit the wish": "#times .slots input",
    "the calendar": ".week .free input",
}


@pytest.fixture(scope="session")
def browser_type_launch_args(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Tell pytest-playwright which browser to start: the Chromium that the machine has.

    The flags stop the browser from making requests of its own.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        own = request.getfixturevalue("playwright").chromium.executable_path
        found = own if Path(own).exists() else None
    if found:
        return {"executable_path": found, "args": FLAGS}
    if os.environ.get("CLINIC_REQUIRE_BROWSER") == "1":
        pytest.fail(LEFT_OUT)
    pytest.skip(LEFT_OUT)


class Window:
    """The browser window of one person.

    The window collects faults, such as script errors, in `complaints`. At the end of the test there
    must be no complaint.
    """

    def __init__(self, browser: Browser, home: str, *, width: int, scripts: bool, **options: Any):
        self.home, self.scripts = home, scripts
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": 740},
            base_url=home,
            java_script_enabled=scripts,
            **options,
        )
        self.context.set_default_timeout(8000)
        self.page: Page = self.context.new_page()
        self.page.on("request", self._requested)
        self.page.on("response", self._answered)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(f"{self.home}/"):
            self.complaints.append(f"another host was asked: {request.url}")
        told = f"{request.url} {request.headers.get('referer', '')}".casefold()
        if any(word in told for word in CANARIES):
            self.complaints.append(f"an address tells of a patient: {told}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.complaints.append(f"{response.status} for {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # the browser logs an error for a page with status 404 or 422, which tests cause on purpose
        of_the_page = message.text.startswith("Failed to load resource: the server responded")
        if message.type in ("error", "warning") and not of_the_page:
            self.complaints.append(f"{self.path}: {message.text} {message.location['url']}")

    # --- what a person does ---------------------------------------------------------------------
    def opens(self, path: str) -> None:
        self.page.goto(path)

    def presses(self, words: str) -> None:
        self.clicks_on(self.page.get_by_role("button", name=words, exact=True))

    def presses_first(self, words: str) -> None:
        """Press the first of several buttons whose names contain these words."""
        self.clicks_on(self.page.get_by_role("button", name=words).first)

    def follows(self, words: str) -> None:
        self.clicks_on(self.page.get_by_role("link", name=words, exact=True).first)

    def clicks(self, words: str) -> None:
        """Click words that are neither a button nor a link, such as the head of a folded list."""
        self.clicks_on(self.page.get_by_text(words, exact=True))

    def clicks_on(self, target: Locator) -> None:
        """Click, and wait until the page that the click leads to has arrived whole.

        Playwright's `click` returns when the first bytes of the next page are there. On a busy
        machine a check then read half a page: a link near its end was missing.
        """
        target.click()
        self.page.wait_for_load_state()

    def reloads(self) -> None:
        self.page.reload()

    def goes_back(self) -> None:
        """Go to the page before, as the browser's own button does.

        Playwright's `go_back` failed on a busy machine. Chromium answered "Not attached to an
        active page", because the page just shown was not active yet. With `history.back()`,
        Chromium waits until that page is active.
        """
        with self.page.expect_navigation():
            self.page.evaluate("history.back()")

    def chooses(self, label: str) -> None:
        self.page.get_by_label(label).check()

    def unchooses(self, label: str) -> None:
        self.page.get_by_label(label).uncheck()

    def ticks_time(self, number: int, among: str) -> None:
        """Tick one of several times, counted from 1, or from -1 at the end; `among` is in TIMES."""
        self.page.locator(TIMES[among]).nth(number - 1 if number > 0 else number).check()

    def selects(self, option: str, label: str) -> None:
        self.page.get_by_label(label).select_option(option)

    def writes(self, text: str, label: str) -> None:
        self.page.get_by_label(label).fill(text)

    def answers(self, **says: Any) -> None:
        """Fill in the page with the answers in `says`, a value for each name of a control."""
        self.page.eval_on_selector_all("main form details", "all => all.forEach(d => d.open = 1)")
        for name in self.asked():
            value = says.get(name)
            boxes = self.page.locator(f'[name="{name}"]')
            if value is None:
                continue
            if value == "on":
                boxes.first.check()
            elif boxes.first.get_attribute("type") in ("radio", "checkbox"):
                for each in value if isinstance(value, tuple) else (value,):
                    self.page.locator(f'[name="{name}"][value="{each}"]').check()
            else:
                boxes.first.fill(str(value))

    def sends(self, button: str = "Send") -> None:
        """Tick the consent, if the check page asks for it, and press Send."""
        consent = self.page.locator('[name="consent"]')
        if consent.count():
            consent.check()
        self.presses(button)

    def starts(self, path: str = "/intake/", device: str = "Start, this device is mine") -> None:
        """Open a form's first page, say whose device this is, and come to the first questions."""
        self.opens(path)
        self.presses(device)

    def fills_in_until(
        self,
        step: str,
        button: str = "Continue",
        on_each_page: Callable[[], None] = lambda: None,
        **instead: Any,
    ) -> None:
        """Fill in page after page, and press `button` below each, until `step` is shown."""
        says = {**SAYS, **instead}
        for _page in range(50):
            if self.step == step:
                return
            before = self.step
            on_each_page()
            self.answers(**says)
            self.presses(button)
            assert self.step != before, f"{before} comes again: {self.text[:400]}"
        raise AssertionError(f"{step} never came")

    def has_answered_until(self, step: str, **instead: Any) -> None:
        """Answer the pages before `step` through Django's test client, with this browser's cookies.

        The browser renders none of these pages, because rendering a whole walk takes ten CPU
        seconds. The journeys in tests/journeys/test_patient.py render every page.
        """
        patient = self.in_another_window(**instead)
        patient.walk_to(step)
        self.opens(patient.page.path)

    def in_another_window(self, **says: Any) -> Patient:
        """Open this page in another window: Django's client with the cookies of this browser."""
        client = Client()
        for cookie in self.context.cookies():
            client.cookies[cookie["name"]] = cookie["value"]
        patient = Patient(client, **says)
        patient.get(self.path)
        return patient

    def comes_back_with(self, number: str, path: str = "/my/", mailbox: str = MAILBOX) -> None:
        """Enter the number of the request, the address, and the code from the mailbox."""
        self.opens(path)
        self.writes(number, "Your number")
        self.writes(mailbox, "Your e-mail address")
        self.presses("Send me a code")
        self.writes(code_in_the_mailbox(), "Your code")
        self.presses("Continue")

    # --- what a person sees ---------------------------------------------------------------------
    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.home).partition("?")[0].partition("#")[0]

    @property
    def step(self) -> str:
        """The last part of the path: a step such as `about`, or a page such as `check`."""
        return self.path.strip("/").rpartition("/")[2]

    @property
    def text(self) -> str:
        return " ".join(self.page.inner_text("body").split())

    @property
    def title(self) -> str:
        return self.page.title()

    def is_at(self, place: str) -> None:
        """Check where the window is: at a path such as "/my/", or at a step such as "check"."""
        assert place == (self.path if place.startswith("/") else self.step)

    def sees(self, *words: str) -> None:
        text = self.text
        for each in words:
            assert each in text, f"{self.path} does not say {each!r}: {text[:800]}"

    def does_not_see(self, *words: str) -> None:
        text = self.text
        for each in words:
            assert each not in text, f"{self.path} says {each!r}: {text[:800]}"

    def sees_one_link(self, words: str, to: str = "") -> None:
        """Check that the page has one link with these words, which leads to `to`."""
        link = self.page.get_by_role("link", name=words, exact=True)
        assert link.count() == 1
        assert not to or link.get_attribute("href") == to

    def finds_no_barrier(self) -> None:
        """Check that the page keeps nobody out, as far as axe can judge."""
        assert self.violations() == []

    def needs_no_sideways_scrolling(self, *widths: int) -> None:
        """Check that the page fits on screens of these widths.

        A patient's page also fits with text twice as large, on a screen as wide as most phones.
        """
        assert [fault for width in widths for fault in self.sideways(width)] == []

    # --- judging the page ----------------------------------------------------------------------
    def asked(self) -> list[str]:
        """Return the names of the controls that are not folded away, in order, each once."""
        names = self.page.eval_on_selector_all(
            "main form :is(input:not([type=hidden]), textarea)",
            "all => all.filter(c => c.checkVisibility()).map(c => c.name)",
        )
        return list(dict.fromkeys(names))

    def focus(self) -> str:
        """Return the id, class or tag of the focused element."""
        script = "e => (e = document.activeElement, e.id || e.className || e.tagName)"
        return self.page.evaluate(script)

    def violations(self, shown: str = "", **options: Any) -> list[str]:
        """Return the faults that axe finds in elements that this run has not judged yet."""
        found = judging.violations(self.page, shown, **options)
        return [f"{self.path}: {fault}" for fault in found]

    def sideways(self, width: int) -> list[str]:
        """Return the faults if the page has to be scrolled sideways on a screen of this width."""
        self.page.set_viewport_size({"width": width, "height": 740})
        measure = (
            "size => (e => (e.style.fontSize = size, e.scrollWidth))(document.documentElement)"
        )
        large = width >= WIDTHS["phone"] and not self.path.startswith("/admin/")
        sizes = ("200%", "") if large else ("",)
        wide = {size: self.page.evaluate(measure, size) for size in sizes}
        return [
            f"{self.path} is {found} wide on a screen of {width}, text of size {size or '100%'}"
            for size, found in wide.items()
            if found > width
        ]


@pytest.fixture
def pages_to_read(live_server: Any) -> None:
    """Load the pages about conditions."""
    call_command("load_pages", verbosity=0)


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Callable[..., Window]]:
    """Return a function that opens a person's window.

    `window("phone", scripts=False)` opens the window of a patient. `window("desk", "clinician")`
    opens the window of a member of staff with this role, who is signed in. `name` is the user name;
    two members of staff with the same role need different names.
    """
    opened: list[Window] = []

    def opener(device: str, role: str = "", name: str = "", **options: Any) -> Window:
        given = {"width": WIDTHS[device], "scripts": True, **options}
        new = Window(browser, live_server.url, **given)
        opened.append(new)
        if role:
            user = builders.member(role, name)
            value = builders.sign_in(builders.Client(), user).cookies["staff"].value
            new.context.add_cookies([{"name": "staff", "value": value, "url": live_server.url}])
        return new

    yield opener
    for each in opened:
        each.context.close()
    complaints = [complaint for each in opened for complaint in each.complaints]
    assert not complaints, "\n".join(complaints)


# --- what the clinic holds ------------------------------------------------------------------------
def what_the_clinic_received() -> Submission:
    """Return what the patient sent. There must be one submission and no other."""
    return Submission.objects.get()


def code_in_the_mailbox() -> str:
    newest = Message.objects.filter(kind="code").order_by("-created_at").first()
    return newest.payload["code"].lower()


def number_of_the_draft() -> str:
    return Draft.objects.get().reference


def nobody_touches_the_form_for(**time: float) -> None:
    """Let time pass, such as `minutes=21`, since the last answer."""
    Draft.objects.update(updated_at=timezone.now() - timedelta(**time))
