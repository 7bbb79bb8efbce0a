"""Measure three pages with Lighthouse on a simulated phone, five times each (`make lighthouse`).

Starts the program with its own database on loopback. Prints a table of medians. Exits with 1 when a
score is below 99 for performance, or below 100 for accessibility, best practices or search engines.
Pages of the questionnaire need no score for search engines. `ARGS="'a condition'"` measures one
page alone.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from tests.bench import servers
from tests.bench.browser import Browser

WANTED = {"performance": 99, "accessibility": 100, "best-practices": 100, "seo": 100}
PAGES = {
    "home": "/",
    "a condition": "/conditions/restless-legs/",
    "a question": "/intake/legs/p/about/",
}
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
)
RUNS = 5
say = sys.stdout.write


def main() -> int:
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not browser:
        say("No Chromium was found. Install one, or name it in CHROMIUM=/path/to/chromium.\n")
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ.update(servers.environment(folder), DJANGO_SETTINGS_MODULE="clinic.settings")
        os.environ["CHROME_PATH"] = browser
        with servers.database(folder), servers.serving(folder) as (ours, _floor):
            command = [sys.executable, "manage.py", "load_pages", "-v0"]
            subprocess.run(command, cwd=servers.ROOT, check=True)
            cookie = _a_draft(ours.port)
            wanted = {name: PAGES[name] for name in sys.argv[1:] or PAGES}
            low = [_page(ours.port, name, path, cookie, folder) for name, path in wanted.items()]
    return 1 if any(low) else 0


def _a_draft(port: int) -> str:
    """Return the cookie of a patient who has answered the first page and sees the second page."""
    with Browser(port) as patient:
        start = patient.get("/intake/")
        first = patient.post("/intake/", [("csrfmiddlewaretoken", start.token), ("go", "start")])
        path = first.header("location")
        page = patient.get(path)
        safe = [("em_now", "none"), ("em_past", "none")]
        fields = [("csrfmiddlewaretoken", page.token), *safe, ("go", "continue")]
        patient.post(path, fields)
        return "; ".join(f"{name}={value}" for name, value in patient.cookies.items())


def _page(port: int, name: str, path: str, cookie: str, folder: Path) -> bool:
    """Print the scores of a page. Returns whether any score is too low."""
    url = f"http://127.0.0.1:{port}{path}"
    headers = {"Cookie": cookie} if path.startswith("/intake/") else {}
    with urlopen(Request(url, headers=headers)) as answer:
        assert answer.url == url, f"{path} leads to {answer.url}"
    marks: dict[str, list[float]] = {kind: [] for kind in WANTED}
    faults: set[str] = set()
    for run in range(RUNS):
        out = folder / f"{re.sub('[^a-z]', '', name)}-{run}.json"
        command = [
            *(
                "node",
                ".local/lighthouse/node_modules/lighthouse/cli/index.js",
                url,
                "--quiet",
                "--output=json",
            ),
            *(f"--output-path={out}", f"--only-categories={','.join(WANTED)}"),
            *(f"--chrome-flags={FLAGS}", f"--extra-headers={json.dumps(headers)}"),
        ]
        subprocess.run(command, cwd=servers.ROOT, check=True, timeout=180)
        told = json.loads(out.read_text())
        for kind, category in told["categories"].items():
            marks[kind].append(round(100 * category["score"]))
            for ref in category["auditRefs"]:
                audit = told["audits"][ref["id"]]
                if ref["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                    faults.add(f"{kind}: {audit['id']} {audit.get('displayValue', '')}")
    middle = {kind: statistics.median(found) for kind, found in marks.items()}
    say(f"{name:14}" + "  ".join(f"{kind} {mark:.0f}" for kind, mark in middle.items()) + "\n")
    wanted = {k: w for k, w in WANTED.items() if k != "seo" or not headers}
    low = any(middle[kind] < mark for kind, mark in wanted.items())
    if low:
        say("".join(f"    {fault}\n" for fault in sorted(faults)))
    return low


if __name__ == "__main__":
    sys.exit(main())
