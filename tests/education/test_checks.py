"""The system checks of the pages."""

import pytest

from education import checks, content, problems
from intake import protocols
from intake.checks import protocol_problems
from tests.education import desk, samples


def ids(messages) -> list[str]:
    return sorted({message.id for message in messages})


def test_the_pages_that_come_with_the_program_are_sound():
    assert checks.problems_of_pages() == []


def test_every_kind_of_problem_has_its_number():
    assert set(checks.NUMBERS) == set(problems.KINDS)


def test_a_protocol_that_names_a_missing_page_is_found_where_it_names_it(monkeypatch):
    monkeypatch.setattr(content, "read_pages", lambda folder, language="en": ())

    messages = checks.problems_of_pages()

    assert ids(messages) == [checks.DANGLING]
    assert any("main_reason.walking_pain" in message.msg for message in messages)
    everything = [page for _where, page in checks.named_pages(protocols.current())]
    assert "restless-legs/overview" in everything


def test_a_slip_in_a_protocol_is_one_sentence_and_no_traceback(tmp_path, monkeypatch):
    """The protocol's own check reports the slip. The check of the pages skips that protocol."""
    folder = tmp_path / "slipped"
    folder.mkdir()
    (folder / "questionnaire.yaml").write_text("sections: [")
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    assert checks.problems_of_pages() == []
    (message,) = protocol_problems()
    assert "a bracket or brace is not closed" in message.msg
    assert "questionnaire.yaml" in message.msg
    assert "line 2" in message.msg


def test_a_problem_and_an_unknown_group_name_the_page(monkeypatch, settings):
    settings.LANGUAGES = [("en", "English")]
    monkeypatch.setattr(content, "read_pages", lambda folder, language="en": (samples.creaking(),))
    monkeypatch.setattr(protocols, "available", lambda: ())

    messages = checks.problems_of_pages()

    assert ids(messages) == [
        checks.NUMBERS["unknown_related"],
        checks.NUMBERS["unknown_link"],
        checks.NO_GROUP,
    ]
    assert all("knees/creaking" in message.msg for message in messages)


def test_a_page_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    (tmp_path / "conditions.yaml").write_text("[]")
    (tmp_path / "knees").mkdir()
    (tmp_path / "knees/creaking.md").write_text("no front matter")

    (message,) = checks.problems_of_pages()

    assert message.id == checks.UNREADABLE
    assert "knees/creaking" in message.msg


@pytest.mark.django_db
def test_deploying_names_the_pages_that_nobody_sees(pages, settings):
    assert checks.unpublished_pages() == []
    settings.DEMO = False
    desk.publish(pages["knees/creaking"])

    (message,) = checks.unpublished_pages()

    assert "knees/overview" in message.msg


def test_deploying_without_a_database_is_silent(settings, monkeypatch):
    from django.db import OperationalError

    from education.models import Page

    def gone(*args, **kwargs):
        raise OperationalError("gone")

    settings.DEMO = False
    monkeypatch.setattr(Page.objects, "filter", gone)

    assert checks.unpublished_pages() == []
