"""Find what is wrong in a protocol's folder, with file and line of each fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from intake.domain import translation
from intake.domain.definition import Protocol
from intake.domain.problem import Problem
from intake.domain.problems import problems
from intake.domain.translation import Translation
from intake.protocols import language_facts
from intake.protocols.files import Place, Unreadable
from intake.protocols.places import Places, PlacesOfWords

DRAWINGS: Final = Path(__file__).parents[2] / "static" / "img" / "options"


class Fault(NamedTuple):
    """A problem, and the place in a file where an author can correct it."""

    place: Place
    problem: Problem

    def __str__(self) -> str:
        return f"{self.place}, {self.problem.path}: {self.problem.message}"


def of_protocol(protocol: Protocol, folder: Path) -> list[Fault]:
    """Return the faults of a loaded protocol. A protocol without faults may be served."""
    found = [*problems(protocol), *_missing_drawings(protocol)]
    return _placed(found, lambda: Places(folder).of)


def _missing_drawings(protocol: Protocol) -> Iterator[Problem]:
    for question in protocol.questions:
        for option in question.options:
            if option.drawing and not (DRAWINGS / f"{option.drawing}.svg").is_file():
                path = f"questions.{question.id}.options.{option.code}"
                text = f"There is no static/img/options/{option.drawing}.svg."
                yield Problem("no_drawing", path, text)


def of_words(protocol: Protocol, words: Translation, file: Path) -> list[Fault]:
    """Return the faults of a loaded translation. A translation without faults is whole.

    Raises Unreadable for a slip in the file with the facts of the language.
    """
    found = translation.problems(protocol, words, language_facts(words.language))
    return _placed(found, lambda: PlacesOfWords(file).of)


def _placed(found: list[Problem], places: Callable[[], Callable[[str], Place]]) -> list[Fault]:
    """Return each problem with its place. The files are read again only if there are problems."""
    if not found:
        return []
    try:
        place_of = places()
    except Unreadable as error:  # the file became unreadable after the protocol was loaded
        return [Fault(error.place, problem) for problem in found]
    return [Fault(place_of(problem.path), problem) for problem in found]
