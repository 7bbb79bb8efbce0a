"""Find the file and line to which a problem of a protocol belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intake.protocols import data_of, words_of
from intake.protocols.files import Place, place_in, shown_path

_STEP = re.compile(r"[^.\[\]]+")


class Places:
    """Knows file and line of each part of a protocol. Raises Unreadable if a file is unusable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = data_of(folder)

    def of(self, path: str) -> Place:
        """Return the place of the part that a path names, or of the nearest part that contains it.

        Paths are written as in `intake.domain.problems`: "questions.leg_side.options.left",
        "rules.S01.when", "summary[2]".
        """
        kind, *steps = _steps(path)
        questions = list(self._questions())
        if kind == "questions" and steps:
            return self._place("questionnaire", questions, steps)
        if kind == "pages" and steps:
            numbers = [n for n, q in enumerate(questions) if q.get("page") == steps[0]]
            return self._place("questionnaire", questions, numbers[:1])
        if kind == "danger" and "danger" in self._data:
            return self._place("danger", self._data["danger"], steps)
        if kind in ("rules", "levels", "computed", "summary"):
            return self._place("rules", self._data["rules"], [kind, *steps])
        return self._place("questionnaire", self._data["questionnaire"], [kind, *steps])

    def _questions(self) -> Iterator[Any]:
        for section in self._data["questionnaire"]["sections"]:
            yield from section["questions"]

    def _place(self, file: str, data: Any, steps: list[Any]) -> Place:
        whole = Place(shown_path(self._folder / f"{file}.yaml"))
        if isinstance(data, list) and steps and not hasattr(data, "places"):
            number = next((n for n, q in enumerate(data) if steps[0] in (n, q.get("id"))), None)
            data, steps = (data[number], steps[1:]) if number is not None else ({}, [])
            whole = getattr(data, "place", whole)
        return place_in(data, steps, where=whole) or whole


class PlacesOfWords:
    """Knows the line of each text of a translation. Raises Unreadable if the file is unusable."""

    def __init__(self, file: Path) -> None:
        self._whole = Place(shown_path(file))
        self._data = words_of(file)

    def of(self, path: str) -> Place:
        """Return the place of the text that a path names, or of the nearest part that contains it.

        Paths are written as in `intake.domain.translation.problems`.
        """
        return place_in(self._data, _steps(path), where=self._whole) or self._whole


def _steps(path: str) -> list[Any]:
    return [int(step) if step.isdigit() else step for step in _STEP.findall(path)]
