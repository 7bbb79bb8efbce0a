"""Each journey is a story for readers who do not program: given, when, then, in words of people."""

import ast
import re
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("test_*.py"))
# what a story leaves to the helpers: Playwright, style selectors, queries
MACHINERY = re.compile(
    r"\.page\b|\.objects\b|\.locator\(|\.get_by_|\.context\b|java_script_enabled"
)


def stories() -> list[tuple[str, str]]:
    found = []
    for path in FILES:
        text = path.read_text()
        if "\npytestmark = pytest.mark.journey\n" in text:
            for part in ast.parse(text).body:
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"):
                    found.append((part.name, ast.get_source_segment(text, part) or ""))
    return found


@pytest.mark.parametrize(("name", "story"), stories(), ids=[name for name, _story in stories()])
def test_a_journey_says_given_when_then_and_nothing_of_machinery(name, story):
    headings = re.findall(r"^    # (given|when|then): \S.*", story, re.M)

    assert re.fullmatch("given ((given )*(when )+(then )+)+", " ".join([*headings, ""])), headings
    assert not MACHINERY.search(story), MACHINERY.findall(story)


def test_there_are_journeys_to_read():
    assert len(stories()) >= 30
