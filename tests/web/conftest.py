"""Every page that a patient or reader can get, in each language, as it was sent."""

import fcntl
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from tests import builders
from tests.intake.clinic_pages import samples as clinic_samples
from tests.intake.patient import Patient
from tests.intake.way_in import asking, code_in, enter, letters

ROOT = Path(settings.BASE_DIR)
LEFT_OUT = (
    "The checks of pages by other programs were left out: {missing} was not found. To run them,"
    " install Java and Node.js (Debian and Ubuntu: default-jre-headless, nodejs, npm), then"
    " run `npm ci`."
)


def program(*names: str) -> None:
    """Skip the test when a program or package is missing.

    If CLINIC_REQUIRE_WEB=1 is set, the test fails instead.
    """
    for name in names:
        if not shutil.which(name) and not (ROOT / "node_modules" / name).exists():
            if os.environ.get("CLINIC_REQUIRE_WEB") == "1":
                pytest.fail(LEFT_OUT.format(missing=name))
            pytest.skip(LEFT_OUT.format(missing=name))


class Kept(Client):
    """A browser that stores every page it gets, under a name made of its address."""

    def __init__(self, pages: dict[str, str]) -> None:
        super().__init__()
        self.pages = pages

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if response.get("Content-Type", "").startswith("text/html") and response.content:
            path = re.sub(r"[^a-z0-9-]+", "_", request["PATH_INFO"].lower()).strip("_") or "home"
            name = f"{path}-{request['REQUEST_METHOD'].lower()}-{response.status_code}"
            text = response.content.decode()
            while self.pages.setdefault(name, text) != text:
                name += "-again"
        return response


@pytest.fixture(scope="session")
def pages(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The HTML of every page, by name. One worker of a run collects the pages for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    stored = folder / "pages.json"
    with open(folder / "pages.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stored.exists():
            with django_db_blocker.unblock(), transaction.atomic():
                found = _every_page()
                transaction.set_rollback(True)
            stored.write_text(json.dumps(found), encoding="utf-8")
    pages: dict[str, str] = json.loads(stored.read_text(encoding="utf-8"))
    return pages


def _every_page() -> dict[str, str]:
    found: dict[str, str] = {}
    call_command("load_pages", verbosity=0)
    for code, _name in settings.LANGUAGES:
        _read(found, "" if code == settings.LANGUAGE_CODE else f"/{code}")
        _walk(found, "" if code == settings.LANGUAGE_CODE else f"/{code}")
        _come_back(found, "" if code == settings.LANGUAGE_CODE else f"/{code}")
    clinic_samples.whole()  # the pages about the clinic again, with every field filled in
    for path in ("/contact/", "/people/", "/visits/", "/costs/", "/es/contact/", "/es/people/"):
        Kept(found).get(path)
    return found


def _read(found: dict[str, str], prefix: str) -> None:
    client = Kept(found)
    named = re.findall("<loc>(.*?)</loc>", Client().get("/sitemap.xml").content.decode())
    paths = [address.removeprefix(settings.SITE_ORIGIN) for address in named]
    for path in paths:
        if path.startswith(prefix) or not prefix:
            client.get(path)
    for path in (
        *("/search/", "/search/?q=iron", "/search/?q=restles+leg", "/search/?q=zzzz+quux"),
        *("/no/such/page/", "/conditions/none/", "/intake/refused/", "/my/", "/my/find/"),
        *("/intake/resume/", "/appointments/", "/intake/leave/"),
    ):
        client.get(prefix + path)


def _walk(found: dict[str, str], prefix: str) -> None:
    """Walk through the questionnaire. Open each page empty, with errors, and filled in."""
    says = {"vein_look": ("varicose",), "vein_bleed": "last_7d", "vein_sx": ("none",)}
    patient = Patient(Kept(found), **says)
    patient.start(f"{prefix}/intake/")
    for _page in range(60):
        step = patient.page.step
        if step == "check":
            break
        patient.press("continue", {})
        if patient.page.step == step:
            patient.answer()
    assert step == "check"
    patient.get(f"{prefix}/intake/legs/p/about/?change=1")
    patient.get(f"{prefix}/intake/save/")
    patient.get(f"{prefix}/intake/leave/")
    patient.get(f"{prefix}/intake/check/")
    patient.send()
    assert patient.page.step == "sent"
    patient.press("part_2")
    patient.walk_to("check")
    patient.send()
    assert patient.page.step == "sent"
    stopped = Patient(Kept(found), em_now=("cold_leg_sudden",))
    stopped.start(f"{prefix}/intake/")
    stopped.answer()
    assert stopped.page.step == "emergency"
    stopped.press(stopped.page.form.buttons[0])
    minor = Patient(Kept(found), age_years=15)
    minor.start(f"{prefix}/intake/")
    minor.walk_to("about")
    minor.press("continue", minor.filled(age_years=7))
    assert minor.page.step == "sure"
    minor.press("no")
    minor.press("continue", minor.filled(age_years=15))
    wish = Patient(Kept(found))
    wish.start(f"{prefix}/appointments/")
    wish.press("continue", {})


def _come_back(found: dict[str, str], prefix: str) -> None:
    submission = builders.submission()
    patient = asking(submission.reference, client=Kept(found))
    enter(patient, "00000000")
    enter(patient, code_in(letters()))
    assert patient.page.path.endswith("/my/")
    for path in ("/my/", "/my/reply/", "/my/withdraw/", "/my/leave/"):
        patient.get(prefix + path)
