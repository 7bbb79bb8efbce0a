"""The files of the pages: how they are read, and which faults are found."""

import pytest

from education import content, problems
from tests.education import samples


def kinds(*pages: content.Page) -> list[tuple[str, str, str]]:
    return [(p.kind, p.field, p.message) for p in problems.problems(pages)]


def test_a_file_becomes_a_page_with_its_sections():
    page = samples.creaking()

    assert page.name == "knees/creaking"
    assert (page.title, page.order, page.written.isoformat()) == ("Creaking knees", 2, "2026-11-01")
    assert [s.heading for s in page.sections] == ["", "When to call", "What helps"]
    assert page.sections[0].body == "Knees creak [1]. Most of them mean no harm [1, 2]."
    assert page.sources[1] == content.Source("A book of knees", "")


def test_a_heading_inside_of_a_fenced_block_begins_no_section():
    text = "First.\n\n```care ask\n## Not a section\n```\n\n## A section ##\n\n~~~\n## no\n~~~"

    assert [s.heading for s in content.sections(text)] == ["", "A section"]


def test_a_text_without_an_introduction_begins_with_its_first_heading():
    assert content.sections("## One\n\ntext") == (content.Section("One", "text"),)


def test_line_ends_of_another_system_change_nothing():
    text = samples.KNEES.replace("\n", "\r\n")

    assert content.parse("knees/creaking", text) == samples.creaking()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "''"}, "$.title"),
        ({"order": "first"}, "$.order"),
        ({"written": "soon"}, "$.written"),
        ({"related": "[Knees]"}, "$.related[0]"),
        ({"audience": "Adults\nreviewer: Dr Nobody"}, "reviewer"),
        ({"audience": "[Adults"}, "knees/creaking"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(changed, field):
    with pytest.raises(content.ContentError) as refused:
        samples.creaking(**changed)

    assert str(refused.value).startswith("knees/creaking: ")
    assert field in str(refused.value)


@pytest.mark.parametrize("text", ["", "just words", "---\ntitle: x\n", "a\n---\ntitle: x\n---\nb"])
def test_a_file_without_front_matter_is_refused(text):
    with pytest.raises(content.ContentError, match="knees/creaking: front matter stands first"):
        content.parse("knees/creaking", text)


def test_a_source_that_leads_nowhere_a_browser_goes_is_refused():
    text = samples.KNEES.replace("https://example.org/knees", "javascript:alert(1)")

    with pytest.raises(content.ContentError, match=r"sources\[0\].url"):
        content.parse("knees/creaking", text)


def test_an_address_that_is_no_slug_is_refused():
    with pytest.raises(content.ContentError, match=r"Knees/creaking: .*condition"):
        content.parse("Knees/creaking", samples.KNEES)


def test_sound_pages_have_no_problem():
    assert kinds(samples.creaking(), samples.overview()) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"related": "[knees/none]"}, ("unknown_related", "related", "knees/none")),
        ({"related": "[knees/creaking]"}, ("unknown_related", "related", "knees/creaking")),
        ({"summary": "''"}, ("missing_summary", "summary", "write one sentence")),
        ({"summary": "x" * 156}, ("long_summary", "summary", "156 characters of 155")),
        (
            {"body": "One [1, 2].\n\n## Two\n\nThree [3]."},
            ("unknown_source", "Two", "[3]"),
        ),
        ({"body": "Only the first [1]."}, ("unused_source", "sources", "[2] A book of knees")),
        (
            {"body": "[1] [2] [x](/conditions/knees/none/)"},
            ("unknown_link", "introduction", "/conditions/knees/none/"),
        ),
        ({"body": "[1] [2] [x](/about/us/#top)"}, ("unknown_link", "introduction", "/about/us/")),
        ({"body": "[1,2]\n\n```care soon\nx\n```"}, ("unknown_level", "introduction", "“soon”")),
        ({"body": "[1] [2] <b>bold</b>"}, ("raw_html", "introduction", "take the tags out")),
        (
            {"body": "[1,2]\n\n```care ask\n<div>\n```"},
            ("raw_html", "introduction", "take the tags out"),
        ),
    ],
)
def test_each_problem_is_found_where_it_is(changed, found):
    (problem,) = kinds(samples.creaking(**changed), samples.overview())

    assert problem[:2] == found[:2]
    assert problem[2].startswith(found[2])
    assert problem[0] in problems.KINDS


def test_links_to_places_of_the_site_and_elsewhere_are_no_problem():
    body = "[1, 2] [a](/intake/) [b](/conditions/knees/?x=1#two) [c](https://example.org) [d](#two)"

    assert kinds(samples.creaking(body=body), samples.overview()) == []


def test_a_mark_in_a_code_or_a_link_is_no_mark():
    body = "[1, 2] `[9]` [see [8] there](/intake/)"

    assert kinds(samples.creaking(body=body), samples.overview()) == []


def test_the_hash_tells_every_difference_a_reader_could_see():
    page = samples.creaking()

    assert page.content_hash == samples.creaking().content_hash
    assert page.content_hash != samples.creaking(title="Knees that creak").content_hash
    assert page.content_hash != samples.creaking(body="Knees [1, 2].").content_hash


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("knees/overview", "/conditions/knees/"),
        ("knees/creaking", "/conditions/knees/creaking/"),
        ("about/contact", "/about/contact/"),
    ],
)
def test_each_page_has_one_address(name, address):
    assert content.address(*name.split("/")) == address
