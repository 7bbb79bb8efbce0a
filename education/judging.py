"""Judge a text for the editor: find its problems and its reading grade."""

from functools import lru_cache
from typing import NamedTuple

from django.utils.text import capfirst

from education import content, grading, markup, problems


class Grade(NamedTuple):
    """The reading grade of one section. The heading "" stands for the introduction.

    `grade` is None if there is no formula for the language.
    """

    heading: str
    grade: float | None

    @property
    def is_hard(self) -> bool:
        return self.grade is not None and self.grade > grading.AIM[1]


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
        whole=Grade(text.title, grading.grade("\n".join(plain), text.language)),
        sections=tuple(
            Grade(section.heading, grading.grade(body, text.language))
            for section, body in zip(text.sections, plain, strict=True)
        ),
    )
