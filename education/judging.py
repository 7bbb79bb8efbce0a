"""How a text reads and what is wrong with it: what an editor sees beside the page. Pure."""

from functools import lru_cache
from typing import Final, NamedTuple

from education import content, markup, problems
from intake.domain.readability import reading_grade

AIM: Final = (6, 8)
"""Reading grades of school in the United States that the pages aim at."""


class Grade(NamedTuple):
    """A section by its heading ("" is the introduction) and its reading grade."""

    heading: str
    grade: float

    @property
    def is_hard(self) -> bool:
        return self.grade > AIM[1]


class Judged(NamedTuple):
    """What is wrong with a page, and how hard it is to read: whole and by section."""

    problems: tuple[tuple[str, str, str], ...]  # what kind in words, where, what is meant
    whole: Grade
    sections: tuple[Grade, ...]


@lru_cache(maxsize=256)
def judge(text: content.Page, known: frozenset[str], pictures: frozenset[str]) -> Judged:
    """Judge one text. `known` names the pages that exist (`condition/slug`), `pictures` those."""
    plain = [markup.plain(section.body) for section in text.sections]
    found = problems.problems([text], known, pictures)
    return Judged(
        problems=tuple((problems.KINDS[p.kind].capitalize(), p.field, p.message) for p in found),
        whole=Grade(text.title, _grade("\n".join(plain))),
        sections=tuple(
            Grade(section.heading, _grade(body))
            for section, body in zip(text.sections, plain, strict=True)
        ),
    )


def _grade(plain: str) -> float:
    # each line is a block; one without a full stop, such as a point of a list, ends there as well
    return max(0.0, round(reading_grade(plain.replace("\n", ".\n")), 1))
