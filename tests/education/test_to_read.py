"""The pages about conditions that a patient is shown after sending."""

import pytest

from education.templatetags.pages import pages_to_read
from intake.protocols import current
from intake.questionnaire.views.receipt import to_read
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


def test_pages_of_the_most_urgent_rules_come_first_each_once():
    submission = builders.submission(
        vein_look=("varicose",), vein_sx=("none",), vein_bleed="no", main_reason="veins"
    )
    names = to_read(current(), submission)
    first = next(rule for rule in submission.result.fired if rule.learn)

    assert names[: len(first.learn)] == list(first.learn)
    assert len(names) == len(set(names))


def test_a_page_that_nobody_may_see_is_left_out(pages, settings):
    assert [p.name for p in pages_to_read(["knees/none", "knees/creaking"])] == ["knees/creaking"]
    settings.DEMO = False
    assert pages_to_read(["knees/creaking"]) == []


def test_no_names_ask_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert pages_to_read([]) == []


def test_without_pages_the_receipt_says_nothing_of_them():
    assert "Pages to read" not in Patient().whole_journey().text
