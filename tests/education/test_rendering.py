"""Markdown becomes the HTML of a page, without anything that could harm a reader."""

from html.parser import HTMLParser

import pytest
from django import conf
from hypothesis import given
from hypothesis import strategies as st

from education import markup, rendering


def html(text: str, sources: int = 3) -> str:
    (part,) = rendering.render([("Heading", text)], sources=sources, pictures=[OURS])
    return part.html


class Read(HTMLParser):
    """The tags and attributes that a browser reads in the HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_marks_lead_to_their_sources():
    shown = html("True [1, 3].")

    assert '<sup class="mark"><a href="#source-1" aria-label="Source 1">1</a>, ' in shown
    assert 'href="#source-3"' in shown


def test_a_mark_without_a_source_leads_nowhere():
    assert html("True [4].", sources=3) == '<p>True<sup class="mark">4</sup>.</p>\n'


def test_placeholders_and_numbers_are_this_clinics(settings):
    settings.CLINIC_NAME, settings.CLINIC_PHONE = "Knees & Co", "+44 20 7946 0000"
    settings.EMERGENCY_NUMBER, settings.CRISIS_LINE = "112", "116123"

    shown = html("{name}: {phone}. Call 911, or 988. {hours}")

    assert "Knees &amp; Co" in shown
    assert '<a href="tel:+442079460000"><bdi>+44 20 7946 0000</bdi></a>' in shown
    assert "Call 112, or 116123." in shown
    assert "Monday to Friday, 8:30" in shown


def test_headings_and_summaries_have_this_clinics_numbers_too(settings):
    settings.EMERGENCY_NUMBER = "112"
    (part,) = rendering.render([("When to call 911", "")], sources=0)

    assert (part.id, part.heading) == ("when-to-call-911", "When to call 112")
    assert rendering.fill_in("Call 911 [1]. It costs 9111.") == "Call 112 [1]. It costs 9111."


def test_a_number_in_an_address_stays():
    assert 'href="https://example.org/911"' in html("[x](https://example.org/911)")


@pytest.mark.parametrize(
    ("level", "kind", "word", "action"),
    [
        ("emergency", "now", "Emergency: ", "tel:911"),
        ("same-day", "today", "Same day: ", "tel:+12025550123"),
        ("ask", "calm", "Not urgent: ", "/appointments/"),
    ],
)
def test_a_care_card_says_its_level_and_has_one_action(level, kind, word, action):
    shown = html(f"```care {level}\nSomething **matters** [1].\n```")
    tags = Read(shown).tags
    links = [a["href"] for tag, a in tags if tag == "a" and "button" in a.get("class", "")]

    assert f'<div class="card care {kind}">' in shown
    assert f'<span class="vh">{word}</span>' in shown
    assert "<strong>matters</strong>" in shown
    assert links == [action]


def test_a_card_that_asks_to_call_has_the_phone_as_its_action():
    shown = html("```care ask\nCall {phone} soon.\n```")

    assert shown.count("tel:+12025550123") == 1
    assert "<p>Call <bdi>+1 202-555-0123</bdi> soon.</p>" in shown


def test_a_card_of_no_known_level_and_a_card_in_a_card_are_code():
    assert "card" not in Read(html("```care soon\nx\n```")).tags[0][1].get("class", "")
    assert html("````care ask\n```care ask\nx\n```\n````").count('class="card') == 1


def test_a_table_can_be_pushed_sideways_by_keyboard():
    shown = html("| a | b |\n| --- | --: |\n| 1 | 2 |")

    assert '<div class="scroll" role="region" tabindex="0" aria-label="Table: Heading">' in shown
    assert "style" not in shown


def test_headings_stand_under_the_sections_and_ids_occur_once():
    parts = rendering.render(
        [("", "# Main\n\n## Sources"), ("Sources", "### Sources"), ("Source 1", "")], sources=1
    )

    assert [part.id for part in parts] == ["", "sources-3", "source-1-2"]
    assert '<h3 id="main-2">Main</h3>' in parts[0].html
    assert '<h3 id="sources-2">Sources</h3>' in parts[0].html
    assert '<h3 id="sources-4">Sources</h3>' in parts[1].html


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,hi)",
        "[x](vbscript:x)",
        "[x](//evil.example)",
        "[x](/\\evil.example)",
        "[x](/\t/evil.example)",
        "<javascript:alert(1)>",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/x.png)",
        "![x](picture:nobody)",
        "![x](/pictures/x.png)",
        "[x](picture:knee)",
        '![x" onerror="alert(1)](picture:nobody)',
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_what_would_harm_is_text(text):
    assert {tag for tag, _attrs in Read(html(text)).tags} <= {"p", "a"}
    assert harm(html(text)) == []


TAGS = {
    *(
        "a",
        "bdi",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
    ),
    *(
        "img",
        "ol",
        "p",
        "pre",
        "span",
        "strong",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ),
}
ATTRIBUTES = {"href", "class", "id", "role", "tabindex", "aria-label", "start"}
ATTRIBUTES |= {"src", "alt", "width", "height", "loading", "data-whole"}
OURS = rendering.ShownPicture("knee", f"/pictures/{'0' * 64}.png", "A knee", 2, 1)


def harm(shown: str) -> list[str]:
    """Return everything in the HTML that is not on the list of allowed parts."""
    found = []
    for tag, attributes in Read(shown).tags:
        found += [tag] if tag not in TAGS else []
        found += [f"{tag} {name}" for name in attributes if name not in ATTRIBUTES]
        if tag == "img" and attributes.get("src") != OURS.address:
            found.append(str(attributes))
        href = attributes.get("href")
        whole = attributes.get("data-whole")
        if whole is not None and whole != f"{conf.settings.SITE_ORIGIN}{attributes.get('href')}":
            found.append(whole)
        if href is not None:
            own = href.startswith(("tel:", "#")) or (
                href[0] == "/" and href[1:2] not in ("/", "\\")
            )
            if not own and not href.lower().startswith(("http://", "https://")):
                found.append(href)
    return found


PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            '"',
            "'",
            "&",
            "`",
            "```",
            "```care emergency\n",
            "~~~care ask\n",
            "\n",
            "\n\n",
        ),
        *("[", "](", ")", "![", "]: ", "javascript:", "data:text/html,", "//evil.example", "\\"),
        *("<script>", "</script>", "<img src=x onerror=", "<svg/onload=", "<!--", "]]>", "&#106;"),
        *(
            "| a |\n| - |\n| ",
            "# ",
            "## ",
            "- ",
            "> ",
            "1. ",
            "*",
            "_",
            "[1]",
            "{phone}",
            "{hours}",
        ),
        *(
            "https://example.org/",
            "picture:knee",
            "picture:nobody",
            "mailto:",
            "style=",
            "\x00",
            "\u202e",
            "\ue000",
            "911",
            " ",
            "\t",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_whatever_an_editor_types_nothing_harmful_survives(text):
    assert harm(html(text)) == []
    markup.facts(text)
    assert not set(markup.HIGHLIGHT) & set(markup.plain(text))


def test_the_plain_words_hold_no_sign_of_markdown():
    text = (
        "# A *b*\n\nOne [1] [two](/x/) `c`  \nthree.\n\n```care ask\nCall {phone} or 911.\n```\n- d"
    )

    assert markup.plain(text) == "A b\nOne two c three.\nCall or 911.\nd"


def test_data_for_search_engines_cannot_leave_its_block():
    shown = rendering.json_ld({"name": "</script><script>alert(1)</script>&"})

    assert shown.count("<") == 2
    assert "\\u003C/script\\u003E" in shown


def test_an_extract_shows_what_was_found_and_escapes_the_rest():
    start, stop = markup.HIGHLIGHT
    extract = f"<b> {start}kn<ee{stop} & {start}open"

    assert rendering.highlighted(extract) == (
        "&lt;b&gt; <mark>kn&lt;ee</mark> &amp; <mark>open</mark>"
    )
