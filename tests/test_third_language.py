"""A third language needs only files.

As soon as the language is begun, a demonstration shows it beside English. A clinic refuses the
language until its translation is whole.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf.locale import LANG_INFO
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape

from clinic import checks as clinic_checks
from clinic import languages
from education import checks as page_checks
from education import content, search
from education.models import Page
from education.services import stems
from intake import checks as protocol_checks
from intake import documents, protocols
from intake.models.submissions import Submission
from tests import builders, third
from tests.clinic.test_settings import PRODUCTION
from tests.desk import page_of
from tests.intake import second
from tests.intake.patient import Patient
from tests.third import mark

ROOT = Path(__file__).resolve().parent.parent
# Django does not know the second language, and PostgreSQL has no stemmer for it
NAMES = {"fr": ("French", "Français"), "ht": ("Haitian Creole", "Kreyòl ayisyen")}
SWOLLEN = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
BOTH = pytest.mark.parametrize("speaks", NAMES, indirect=True)
FRENCH = pytest.mark.parametrize("speaks", ["fr"], indirect=True)


@pytest.fixture
def speaks(request, tmp_path, settings, monkeypatch, db, fresh_pages) -> Iterator[str]:
    """A clinic's demonstration in English and in a language that was begun by files alone."""
    code = request.param
    folder = tmp_path / "intake" / "protocols"
    folder.mkdir(parents=True)
    shutil.copytree(protocols.HERE / "legs", folder / "legs")
    for shared in ("shared", "languages"):
        (folder / shared).symlink_to(protocols.HERE / shared)
    shutil.copytree(content.FOLDER, tmp_path / "education" / "content")
    third.begin(tmp_path, code)
    locale = tmp_path / "clinic" / "locale"
    shutil.copy(settings.LOCALE_PATHS[0] / languages.POT, locale)
    (locale / code / "name.txt").write_text(", ".join(NAMES[code]), encoding="utf-8")
    monkeypatch.delitem(LANG_INFO, "ht", raising=False)
    monkeypatch.setattr(protocols, "HERE", folder)
    monkeypatch.setattr(content, "FOLDER", tmp_path / "education" / "content")
    settings.LOCALE_PATHS = [locale]
    settings.LANGUAGES = languages.offered(["en", code], locale)
    second.serve(folder, "legs")
    search.synonyms.cache_clear()
    stems.prepare(languages=[code])
    call_command("load_pages", verbosity=0)
    yield code
    monkeypatch.undo()
    second.start_anew()
    search.synonyms.cache_clear()
    LANG_INFO.pop("ht", None)


# --- a demonstration shows it ---------------------------------------------------------------------


@BOTH
def test_from_home_to_the_receipt_in_a_language_that_is_under_way(speaks, mailoutbox):
    patient = Patient(lang_help="other_language", **SWOLLEN)
    home = patient.get("/")
    assert home.link(NAMES[speaks][1]) == f"/{speaks}/"
    home = patient.get(f"/{speaks}/")
    assert f'<html lang="{speaks}" dir="ltr">' in home.html
    assert mark(speaks, "Conditions") in home.text
    assert "Call 911 now if a leg suddenly turns cold" in home.text
    assert home.link("English") == "/"

    patient.start(f"/{speaks}/intake/")
    assert mark(speaks, "Questions before your visit") in patient.seen[-2].text
    for _page in range(60):
        if patient.page.step == "check":
            break
        judge(patient.page.html, speaks)
        patient.answer()
        assert patient.page.status == 200, (patient.page.url, patient.page.errors)
    check = patient.page
    assert mark(speaks, "Check your answers") in check.text
    english = protocols.current()
    who, onset = english.question("who"), english.question("onset")
    assert f"<dt>{mark(speaks, who.text)}</dt>" in check.html
    assert f'<dt lang="en">{onset.text}</dt>' in check.html
    receipt = patient.send()

    assert receipt.path == f"/{speaks}/intake/sent/"
    assert mark(speaks, "We have your answers") in receipt.text
    assert all(page.status == 200 for page in patient.seen)
    submission = Submission.objects.get()
    assert submission.language == speaks
    read = documents.wording_as_read(submission.translation_id)
    assert set(read.shown.questions) == {q.id for q in english.page("about").questions} | {
        q.id for s in english.questionnaire.sections if s.id == third.SECTION for q in s.questions
    }
    assert (read.shown.rules, read.shown.levels) == ({}, {})
    shown = builders.staff_client().get(page_of(submission)).content.decode()
    assert f"answered in {NAMES[speaks][0]}" in shown


def judge(html: str, code: str) -> None:
    """Check that each question on the page is in one language, and marked if it is English."""
    for question in protocols.current().questions:
        if f'name="{question.id}"' not in html:
            continue
        begun = question.id in {q.id for q in _section().questions}
        labels = [question.text, *(option.label for option in question.options)]
        for label in labels:
            text = mark(code, label) if begun else label
            assert escape(text) in html, (question.id, text)
        tagged = re.search(rf'<label lang="en"><input [^>]*name="{question.id}"', html)
        if question.options:
            assert bool(tagged) != begun, question.id


def _section() -> Any:
    sections = protocols.current().questionnaire.sections
    return next(section for section in sections if section.id == third.SECTION)


@BOTH
def test_an_emergency_is_told_whole_and_in_english(speaks):
    patient = Patient(em_now=("chest_or_breath",))
    patient.start(f"/{speaks}/intake/")
    patient.answer()

    assert patient.page.path == f"/{speaks}/intake/emergency/"
    advice = protocols.current().rule("E02").advice
    assert f'<p lang="en">{advice}</p>' in patient.page.html
    assert 'class="interpreter"' in patient.page.html
    assert mark(speaks, "Call 911") in patient.page.text


@BOTH
def test_pages_are_shown_and_found_in_the_language_or_in_english_with_a_note(speaks, client):
    def html(path: str) -> str:
        response = client.get(f"/{speaks}{path}")
        assert response.status_code == 200, path
        return response.content.decode()

    overview = content.read_pages(content.FOLDER, speaks)[0]
    assert overview.name in third.PAGES
    translated = html("/conditions/restless-legs/")
    assert "not yet in your language" not in translated
    assert f"<h1>{speaks.upper()}·" in translated
    clots = html("/conditions/clots/")
    assert "This page is not yet in your language. Here it is in English." in clots
    assert '<h1 lang="en">' in clots
    assert '<div lang="en">' in clots
    assert 'class="card care now"' in clots
    listed = html("/conditions/")
    assert listed.count(f"{speaks.upper()}·") >= len(third.PAGES)
    assert re.search(r'<h2 id="about" lang="en">', listed)
    assert f'<a href="/{speaks}/conditions/clots/" lang="en">' in listed

    assert 'class="pages"' in html("/search/?q=marchez")
    assert 'class="pages"' in html("/search/?q=machez")
    # the word is found by its stem only in a language for which PostgreSQL has a stemmer
    assert bool(search._full_text(["marcher"], speaks)) == (speaks == "fr")
    assert "We found no page with these words." in html("/search/?q=qqqq")


@FRENCH
def test_half_a_page_is_left_out_and_readers_see_the_english_one(speaks, capsys):
    path = content.FOLDER / speaks / "restless-legs" / "iron.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex("\n## ")], encoding="utf-8")
    Page.objects.filter(slug="iron", language=speaks).delete()

    call_command("load_pages", verbosity=0)

    assert "it does not fit its English page: fr/restless-legs/iron" in capsys.readouterr().err
    shown = Client().get("/fr/conditions/restless-legs/iron/").content.decode()
    assert "This page is not yet in your language." in shown


# --- and a clinic waits until it is whole ---------------------------------------------------------


def every_check() -> list[Any]:
    return [
        *clinic_checks.catalogues(),
        *protocol_checks.protocol_problems(),
        *page_checks.problems_of_pages(),
    ]


@FRENCH
def test_a_demonstration_is_warned_of_each_thing_that_is_not_whole(speaks):
    found = every_check()

    assert {message.level for message in found} == {30}
    told = "\n".join(message.msg for message in found)
    for where in ("clinic/locale/fr", "intake/protocols/legs/fr.yaml", "education/content/fr"):
        assert where in told, where


@FRENCH
def test_a_clinic_is_refused_with_counts_and_the_first_few_places(speaks, settings):
    settings.DEMO = False
    found = [m for m in every_check() if "fr" in m.msg]

    assert {message.level for message in found} == {40}
    assert len(found) < 10, "one sentence for each kind of fault, not one for each text"
    told = "\n".join(f"{m.msg} {m.hint}" for m in found)
    missing, every = languages.untranslated(settings.LOCALE_PATHS[0], "fr")
    assert len(missing) == every - len(third.SENTENCES)
    assert f"It lacks {len(missing)} of {every} sentences: “" in told
    assert re.search(
        r"legs/fr\.yaml is not whole: a text has no translation, \d{3} in all: title: Translate",
        told,
    )
    english = len(content.read_pages(content.FOLDER))
    assert f"a page has no translation, {english - len(third.PAGES)} in all: " in told
    assert "intake/protocols/languages/fr.yaml" in told
    assert "a group of pages has no title in this language, 5 in all: " in told
    assert told.count("remove 'fr' from CLINIC_LANGUAGES") == len(found)
    assert max(len(message.msg) for message in found) < 700


# --- as an operator does it: files into a copy of the program -------------------------------------


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    copy = tmp_path_factory.mktemp("program")
    shutil.copy(ROOT / "manage.py", copy)
    for folder in ("clinic", "intake", "education", "templates", "static"):
        shutil.copytree(ROOT / folder, copy / folder)
    third.begin(copy, "fr")
    return copy


def run(program: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=program,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_files_are_enough_for_a_demonstration_and_too_little_for_a_clinic(program):
    demo = {"DEMO": "on", "DATABASE_URL": PRODUCTION["DATABASE_URL"]}
    offered = "from clinic import settings; print(settings.LANGUAGES)"
    shown = run(program, "-c", offered, **demo).stdout
    assert "('es', 'Spanish'), ('fr', 'French')" in shown
    checked = run(program, "manage.py", "check", **demo)
    assert checked.returncode == 0, checked.stderr
    assert "intake/protocols/legs/fr.yaml is not whole" in checked.stderr

    started = run(program, "-c", "import clinic.wsgi", **PRODUCTION, CLINIC_LANGUAGES="en,fr")
    assert started.returncode != 0
    assert "Not started" in started.stderr
    assert "clinic/locale/fr/LC_MESSAGES/django.po is not whole" in started.stderr
    refused = run(program, "-c", "import clinic.settings", **PRODUCTION, CLINIC_LANGUAGES="en,de")
    assert "'de' has no compiled translation in clinic/locale" in refused.stderr
    assert "en,es,fr" in refused.stderr


def test_a_slip_in_a_language_that_is_not_offered_stops_nobody(program):
    (program / "intake/protocols/legs/fr.yaml").write_text("language: [")
    (program / "education/content/fr/conditions.yaml").write_text("- {slug: [")
    demo = {"DEMO": "on", "DATABASE_URL": PRODUCTION["DATABASE_URL"], "CLINIC_LANGUAGES": "en"}

    assert run(program, "manage.py", "check", **demo).returncode == 0
    told = run(program, "manage.py", "check", **{**demo, "CLINIC_LANGUAGES": "en,fr"})
    assert told.returncode != 0
    assert "intake/protocols/legs/fr.yaml, line 2: a bracket or brace" in told.stderr
    assert "education/content/fr/conditions.yaml, line 2: a bracket or brace" in told.stderr
    assert "Traceback" not in told.stderr
