"""Judge a text for the editor: find its problems and its reading grade."""

from functools import lru_cache
from typing import Final, NamedTuple

from django.utils.text import capfirst

from education import content, markup, problems
from intake.domain.readability import reading_grade

AIM: Final = (6, 8)
"""The reading grades that pages should have, in years of school in the United States."""


class Grade(NamedTuple):
    """The reading grade of one section. The heading "" stands for the introduction."""

    heading: str
    grade: float

    @property
    def is_hard(self) -> bool:
        return self.grade > AIM[1]


class Judgement(NamedTuple):
    """The problems of a page, and the reading grades of the page and of each section."""

    problems: tuple[tuple[str, str, str], ...]  # each: its kind in words, its place, its details
    whole: Grade
    sections: tuple[Grade, ...]


@lru_cache(maxsize=256)
def judge(text: content.Page, known: frozenset[str], pictures: frozenset[str]) -> Judgement:
    """Judge one text.

    `known` holds the names of all pages (`condition/slug`), `pictures` the names of all pictures.
    """
    plain = [markup.plain(section.body) for section in text.sections]
    found = problems.problems([text], known, pictures)
    return Judgement(
        problems=tuple((capfirst(problems.KINDS[p.kind]), p.field, p.message) for p in found),
        whole=Grade(text.title, _grade("\n".join(plain))),
        sections=tuple(
            Grade(section.heading, _grade(body))
            for section, body in zip(text.sections, plain, strict=True)
        ),
    )


def _grade(plain: str) -> float:
    # The formula counts sentences. A line such as a list item may end without a full stop, so each
    # line gets one.
    return max(0.0, round(reading_grade(plain.replace("\n", ".\n")), 1))
