"""The privacy notice has a version, and a submission stores the one that the patient could read."""

import pytest
from django.conf import settings as site
from django.test import Client

from clinic import privacy
from intake.models.submissions import Submission
from tests.intake.patient import Patient


def test_each_language_has_a_version_of_its_own_and_the_page_shows_it():
    versions = {code: privacy.version(code) for code, _name in site.LANGUAGES}
    assert len(set(versions.values())) == len(versions)
    for code, version in versions.items():
        page = Client().get("/privacy/" if code == "en" else f"/{code}/privacy/").text
        assert version in page


def test_other_words_make_another_version_and_the_same_words_make_the_same(settings):
    before = privacy.version("en")
    assert privacy.version("en") == before
    settings.DRAFT_DAYS = site.DRAFT_DAYS + 1
    assert privacy.version("en") != before


@pytest.mark.django_db
@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(("language", "prefix"), [("en", ""), ("es", "/es")])
def test_a_submission_stores_the_version_in_the_language_of_the_patient(language, prefix):
    Patient().whole_journey(f"{prefix}/intake/")
    consent = Submission.objects.get().person["consent"]
    assert consent["version"] == privacy.version(language)


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("path", ["/intake/", "/intake/legs/", "/appointments/"])
def test_a_start_page_has_one_line_about_consent_and_nothing_to_tick(prefix, path):
    page = Patient().get(prefix + path)
    main = page.html.partition("<main")[2].partition("</main>")[0]
    assert main.count(f'href="{prefix}/privacy/"') == 1
    assert 'type="checkbox"' not in main
    if path != "/intake/" or page.form.buttons:
        assert page.form.buttons == ["mine", "shared"]
