"""A real browser whose requests, error messages and page widths are checked.

Without Chromium the journeys are skipped, and one sentence says so. If CLINIC_REQUIRE_BROWSER=1 is
set, the tests fail instead.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from tests import builders
from tests.builders import ORDINARY
from tests.intake.patient import CONTACT, WISH, Patient

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
LEFT_OUT = (
    "The browser journeys were left out: no Chromium was found. To run them, install one"
    " (Debian and Ubuntu: apt-get install chromium) or name it in CHROMIUM=/path/to/chromium."
)
# parts of the test patients' names and phone number, which no address may contain
CANARIES = ("canary", "quentin", "5550147", "555-0147")
SAYS: dict[str, Any] = {**ORDINARY, **CONTACT, **WISH}
# What axe judges an element by, as far as templates and style sheets decide it: the element in its
# surroundings. The HTML checker of tests/web judges what depends on the texts of a page.
KINDS = """() => [...document.querySelectorAll('*')].map(e => {
    const named = e => e ? e.tagName + '.' + (e.getAttribute('class') || '') : '';
    const attributes = [...e.attributes].map(a =>
        /^(type|name|role|lang|dir|rel|scope)$/.test(a.name) ? a.name + '=' + a.value : a.name);
    const up = e.parentElement;
    return [named(up?.parentElement), named(up), named(e), ...attributes].join(' ');
})"""
# judge these elements without the large ones, because axe judges all that an element contains
JUDGE = """async ([chosen, options]) => {
    const all = [...document.querySelectorAll('*')];
    const some = chosen.map(i => all[i]).filter(e => e.querySelectorAll('*').length < 60);
    if (!some.length) return [];
    const context = chosen.length === all.length ? document : {include: some};
    return (await axe.run(context, options)).violations;
}"""
_judged: dict[str, set[str]] = {}


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

    def __init__(self, browser: Browser, home: str, **options: Any) -> None:
        self.home = home
        self.complaints: list[str] = []
        width = options.pop("width", 360)
        self.context = browser.new_context(
            viewport={"width": width, "height": 740}, base_url=home, **options
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

    # --- moving about --------------------------------------------------------------------------
    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

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

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words, exact=True).click()

    def follow(self, words: str) -> None:
        self.page.get_by_role("link", name=words, exact=True).first.click()

    def asked(self) -> list[str]:
        """Return the names of the controls on the page, in order, each once."""
        names = self.page.eval_on_selector_all(
            "main form :is(input:not([type=hidden]), textarea)", "all => all.map(c => c.name)"
        )
        return list(dict.fromkeys(names))

    def fill(self, says: Mapping[str, Any]) -> None:
        """Fill in the page with the answers in `says`."""
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

    def walk_to(self, step: str, **instead: Any) -> None:
        """Fill in page after page until `step` is shown."""
        says = {**SAYS, **instead}
        for _page in range(50):
            if self.step == step:
                return
            before = self.step
            self.fill(says)
            self.press("Continue")
            assert self.step != before, f"{before} comes again: {self.text[:400]}"
        raise AssertionError(f"{step} never came")

    def skip_to(self, step: str, **instead: Any) -> None:
        """Answer the pages before `step` through Django's test client, with this browser's cookies.

        The browser renders none of these pages, because rendering a whole walk takes ten CPU
        seconds. The journeys in tests/journeys/test_patient.py render every page.
        """
        client = Client()
        for cookie in self.context.cookies():
            client.cookies[cookie["name"]] = cookie["value"]
        patient = Patient(client, **instead)
        patient.get(self.path)
        patient.walk_to(step)
        self.open(patient.page.path)

    # --- judging the page ----------------------------------------------------------------------
    def focus(self) -> str:
        """Return the id, class or tag of the focused element."""
        script = "e => (e = document.activeElement, e.id || e.className || e.tagName)"
        return self.page.evaluate(script)

    def violations(self, shown: str = "", **options: Any) -> list[str]:
        """Return the faults that axe finds in the elements that it has not judged in this run yet.

        `shown` says how the page is shown, such as "dark". Axe judges one element of each kind in
        each way, because a page takes axe half a second, and most pages are of a few templates.
        """
        seen = _judged.setdefault(f"{shown} {options} {self.page.viewport_size}", set())
        kinds = self.page.evaluate(KINDS)
        new = list({kind: number for number, kind in enumerate(kinds) if kind not in seen}.values())
        chosen = new if seen else list(range(len(kinds)))
        seen.update(kinds)
        if not chosen:
            return []
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE_SCRIPT)
        # only rules of WCAG; axe's other rules are conventions
        rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        # without preload, because axe would copy style sheets into the page, which our CSP blocks
        options = {"runOnly": rules, "preload": False, "resultTypes": ["violations"], **options}
        # return only the violations, because sending the passed checks took longer than checking
        found = self.page.evaluate(JUDGE, [chosen, options])
        return [
            f"{self.path}: {issue['id']} at {node['target']}: {node['html'][:120]}"
            for issue in found
            for node in issue["nodes"]
        ]

    def sideways(self, width: int) -> list[str]:
        """Return a fault if the page has to be scrolled sideways on a screen of this width."""
        self.page.set_viewport_size({"width": width, "height": 740})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        return [f"{self.path} is {wide} wide on a screen of {width}"] if wide > width else []


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Callable[..., Window]]:
    """Return a function that opens a window: `window(width=360, java_script_enabled=False, …)`."""
    opened: list[Window] = []

    def opener(user: Any = None, **options: Any) -> Window:
        new = Window(browser, live_server.url, **options)
        opened.append(new)
        if user:
            value = builders.sign_in(builders.Client(), user).cookies["staff"].value
            new.context.add_cookies([{"name": "staff", "value": value, "url": live_server.url}])
        return new

    yield opener
    for each in opened:
        each.context.close()
    complaints = [complaint for each in opened for complaint in each.complaints]
    assert not complaints, "\n".join(complaints)
