"""Walk the stories of the length budget in a real browser, and count (`make walked`).

Starts the program with its own database on loopback. Each person of `stories.yaml` fills in the
pages on a phone of 360 × 740 pixels, sends, and goes on with part 2. The script counts what it does
and sees: pages, taps, words on the screen and letters typed. Prints a table. Exits with 1 when a
story is longer than its row in tests/intake/authoring/test_length.py allows.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench import servers

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
# The words that a person reads on the way: not the way out, the buttons, what is folded away, and
# what only a screen reader says.
WORDS = """main => {
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  let count = 0;
  for (let node; (node = walker.nextNode());) {
    const parent = node.parentElement;
    const folded = parent.closest('details:not([open])');
    if (folded && !parent.closest('summary')) continue;
    if (parent.closest('.vh, a.back, .trap, button, textarea, .leave') || parent.matches('dd > a'))
      continue;
    if (parent.checkVisibility()) count += node.data.split(/\\s+/).filter(Boolean).length;
  }
  return count;
}"""
CONTROLS = "main form :is(input:not([type=hidden]), textarea)"
say = sys.stdout.write


def main() -> int:
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not browser:
        say("No Chromium was found. Install one, or name it in CHROMIUM=/path/to/chromium.\n")
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ.update(servers.environment(folder), DJANGO_SETTINGS_MODULE="clinic.settings")
        import django

        django.setup()
        with servers.database(folder), servers.serving(folder) as (ours, _floor):
            return _measure(browser, f"http://127.0.0.1:{ours.port}")


def _measure(browser: str, home: str) -> int:
    from playwright.sync_api import sync_playwright

    from intake import protocols
    from intake.authoring import length
    from tests.intake.authoring.test_length import MOST

    protocol, longer = protocols.load("legs"), []
    people = sorted(length.people("legs"), key=lambda person: person.kind)
    say(f"{'story':36}  pages  taps  words  minutes\n")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for person in people:
            said = length.says(protocol, person, "en")
            for story, found in _walk(chromium, home, person, said):
                row = (*found[:3], found.minutes)
                say(f"{story:36}  {row[0]:5}  {row[1]:4}  {row[2]:5}  {row[3]:7.1f}\n")
                longer += [story for now, most in zip(row, MOST[story], strict=True) if now > most]
        chromium.close()
    return 1 if longer else 0


def _walk(chromium: Any, home: str, person: Any, said: Mapping[str, Any]) -> Any:
    """Yield (story, length) for each part that the person walks."""
    page = chromium.new_page(viewport={"width": 360, "height": 740}, base_url=home)
    start = "appointments" if person.kind == "appointment" else "intake"
    page.goto(f"/{start}/legs/")
    page.locator('button[value="mine"]').click()
    part_1 = _fill_in(page, said)
    if person.kind == "appointment":
        yield person.name, part_1
    else:
        yield f"{person.name}, part 1", part_1
        page.locator('form[action="/intake/part-2/"] button').click()
        yield f"{person.name}, part 2", _fill_in(page, said)
    page.context.close()


def _fill_in(page: Any, said: Mapping[str, Any]) -> Any:
    """Fill in page after page, send, and return what it took."""
    from intake.authoring.length import Length

    whole = Length()
    while True:
        step = page.url.partition("?")[0].rstrip("/").rpartition("/")[2]
        if step == "sent":
            return whole
        taps, letters = _fill_in_page(page, said)
        words = page.eval_on_selector("main", WORDS)
        whole = Length(*map(sum, zip(whole, (1, taps + 1, words, letters), strict=True)))
        before = page.url
        button = "send" if step == "check" else "continue"
        with page.expect_navigation():
            page.locator(f'main button[value="{button}"]:visible').first.click()
        if page.locator("#problem").count():
            raise AssertionError(f"{before}: {page.locator('#problem').inner_text()}")


def _fill_in_page(page: Any, said: Mapping[str, Any]) -> tuple[int, int]:
    """Tap and type as the person does. Returns the taps, and the letters typed."""
    taps = letters = 0
    for name in dict.fromkeys(page.eval_on_selector_all(CONTROLS, "all => all.map(c => c.name)")):
        given = said.get(name, ())
        for value in given if isinstance(given, tuple | list) else (str(given),):
            ticked = page.locator(f'[name="{name}"][value="{value}"]')
            control = ticked if ticked.count() else page.locator(f'[name="{name}"]').first
            is_choice = control.get_attribute("type") in ("radio", "checkbox")
            if is_choice and control.is_checked():
                continue
            folded = page.locator("details:not([open])").filter(has=control)
            if folded.count():
                folded.locator("summary").click()
                taps += 1
            taps += 1
            if is_choice:
                control.check(force=True)
            else:
                control.fill(value)
                letters += len(value)
    return taps, letters


if __name__ == "__main__":
    sys.exit(main())
