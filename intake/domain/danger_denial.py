"""Find the signs that a text denies: "no chest pain", "Chest pain? No".

A negation stands before the sign. Between them stand only words that carry the negation ("have",
"any", "signs of"), places of the body, and other denied signs. So "I don't feel well, my chest
hurts" denies nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, compress
from typing import Final

from intake.domain.danger_words import LASTING, SIGNS, Danger

Span = tuple[int, int]
NEAR: Final = 6
"""How many words on each side of a sign are searched for words about the sign, such as a time."""


class Denials:
    """What a text denies: its words, the punctuation before each, and where concepts stand."""

    def __init__(
        self,
        danger: Danger,
        words: list[str],
        before: list[str],
        stops: list[bool],
        spans: dict[str, list[Span]],
        patient: list[int],
    ) -> None:
        self._before = before
        self._stops = stops
        self._count = len(words)
        self._first, self._last = _sentences(stops)
        self._spans = spans
        self._at = self._tables(danger)
        self._signs, self._lasting = self._at[SIGNS], self._at[LASTING]
        self._at["patient"] = dict.fromkeys(patient, 0)
        self._order = {role: sorted(table) for role, table in self._at.items() if table}
        self._sentence_of = list(accumulate(map(int, stops)))
        self._places = danger.places
        self._serious = frozenset(danger.roles.get("serious", ()))
        self._hidden = self._hides()
        self._denied = self._denials()

    def visible(self, concept: str) -> list[Span]:
        """Return the places of the concept, except those that a harmless phrase hides."""
        spans = self._spans.get(concept, [])
        if not self._hidden:
            return spans
        hidden = self._hidden.keys()
        return [s for s in spans if hidden.isdisjoint(range(*s)) or not self._is_hidden(s)]

    # Tables

    def _tables(self, danger: Danger) -> dict[str, dict[int, int]]:
        """Return for each role start → the farthest end of the phrases of its concepts."""
        found: dict[str, dict[int, int]] = {role: {} for role in (*danger.roles, SIGNS, LASTING)}
        for concept, spans in self._spans.items():
            for role in danger.roles_of.get(concept, ()):
                table = found[role]
                for start, end in spans:
                    if end > table.get(start, 0):
                        table[start] = end
        return found

    def _hides(self) -> dict[int, int]:
        """Return for each word up to which length the phrases around it hide a concept.

        A harmless phrase hides concepts as long as the phrase. A phrase that only covers hides
        shorter concepts.
        """
        hidden: dict[int, int] = {}
        for role, shorter in (("harmless", 0), ("covers", 1)):
            for start, end in self._at.get(role, {}).items():
                for place in range(start, end):
                    hidden[place] = max(end - start - shorter, hidden.get(place, 0))
        return hidden

    def _is_hidden(self, span: Span) -> bool:
        length = span[1] - span[0]
        return any(self._hidden.get(place, 0) >= length for place in range(*span))

    def _within(self, role: str, start: int, end: int) -> list[int]:
        """Return the places from `start` up to `end` at which a phrase of the role begins."""
        order = self._order.get(role)
        if order is None:
            return []
        first = bisect_left(order, start)
        return order[first : bisect_left(order, min(end, self._count), first)]

    def _sentence(self, span: Span, near: int) -> Span:
        """Return the words around a span, at most `near` on each side, in the same sentence."""
        start, end = span[0] - near, span[1] + near
        first, last = self._first[span[0]], self._last[span[1]]
        return start if start > first else first, end if end < last else last

    # Denied

    def _denials(self) -> list[bool]:
        denied = [False] * (self._count + 1)
        inside = {
            place
            for table in (self._whole_signs(), self._at.get("no_denial", {}))
            for start, end in table.items()
            for place in range(start, end)
        }
        for start, end in self._at.get("denies", {}).items():
            if start not in inside and not self._after_cannot(start):
                for place in self._denied_from(end, whole_list=False):
                    denied[place] = True
        for start, end in self._at.get("denies_all", {}).items():
            if start not in inside and not self._after_cannot(start):
                for place in self._denied_from(end, whole_list=True):
                    denied[place] = True
        for start, end in self._signs.items():
            if self._denied_after((start, end)):
                denied[start] = True
                for before in self._joined_before(start):
                    denied[before] = True
        return denied

    def _whole_signs(self) -> dict[int, int]:
        """Return the signs with a negation as a part of them, such as "no pulse".

        In "I don't feel dizzy", "I don't feel" is no part of a sign, because "dizzy" is the sign.
        """
        return {
            start: end
            for start, end in self._lasting.items()
            if end - start > 1
            and not (end - 1 in self._at.get("feels", {}) and end in self._signs)
            and not any(self._signs.get(place, 0) > end for place in range(start + 1, end))
        }

    def _joined_before(self, place: int) -> Iterator[int]:
        """Yield the signs before `place` that an "or" joins to the sign at `place`."""
        while place - 1 in self._at.get("joins", {}):
            ends = (at for at in range(place - NEAR, place) if self._signs.get(at) == place - 1)
            place = next(ends, -1)
            if place < 0:
                return
            yield place

    def _after_cannot(self, place: int) -> bool:
        """Whether the negation follows a "cannot", as in "I can't walk without gasping"."""
        start, _end = self._sentence((place, place), NEAR)
        return any("," not in self._before[place] for _at in self._within("cannot", start, place))

    def _denied_from(self, place: int, *, whole_list: bool) -> list[int]:
        """Return the signs that a negation denies. `place` is the end of the negation.

        A negation reaches over words that carry the negation, places and other signs. A negation
        passes a comma only before a list with an "or", as in "no fever, chills or cough". In "no
        fever, foot cold" the cold foot is not denied. Words of medical staff such as "denies" or
        "ruled out" reach over the `whole_list`.
        """
        sure: list[int] = []
        listed: list[int] = []
        after_sign = commas = joined = False
        while place < self._count and not self._stops[place]:
            if "," in self._before[place] or ":" in self._before[place]:
                commas, after_sign, joined = True, False, False
            if place in self._at.get("joins", {}):
                sure, listed = sure + listed, []
                place, after_sign, joined = self._at["joins"][place], False, True
            elif place in self._at.get("denies", {}):
                break
            elif place in self._signs or place in self._at.get("places", {}):
                end = self._signs.get(place, 0)
                where = end <= self._at.get("places", {}).get(place, 0)
                if (after_sign and not where and not whole_list) or self._undone(
                    max(end, place + 1)
                ):
                    break
                end = max(end, self._at.get("places", {}).get(place, 0))
                inner = [start for start in range(place, end) if start in self._signs]
                if commas and not whole_list and not joined:
                    listed += inner
                else:
                    sure += inner
                verb = place in self._at.get("after_no", {})  # "coughed" in "never coughed blood"
                place, after_sign = end, after_sign or not (where or verb)
            elif place in self._at.get("joins_weakly", {}):
                if not whole_list and not self._goes_on(place + 1, after_sign):
                    break
                place, after_sign = place + 1, False
            elif place in self._at.get("after_no", {}) and not after_sign and not commas:
                place = self._at["after_no"][place]
            else:
                break
        return sure

    def _goes_on(self, place: int, after_sign: bool) -> bool:
        """Whether the list of denied signs continues after an "and"."""
        if place >= self._count or place not in self._signs or not after_sign:
            return False
        end = self._signs[place]
        return end >= self._count or self._stops[end] or "," in self._before[end]

    def _undone(self, end: int) -> bool:
        """Whether words such as "until today" or "like this" take the denial back."""
        _start, last = self._sentence((end, end), NEAR)
        if self._within("undoes", end, last):
            return True
        return bool(self._within("changed", end, end + 2 * NEAR))

    def _denied_after(self, span: Span) -> bool:
        """Whether a "no" follows the sign, as in "Chest pain? No" and "Cold foot, no"."""
        end = span[1]
        while end in self._at.get("places", {}):
            end = self._at["places"][end]
        answers = self._at.get("answers_no", {})
        if end not in answers:
            return False
        if "?" in self._before[end] or ":" in self._before[end]:
            return True
        last = end
        while last in answers and last < end + NEAR:
            last = answers[last]
        closed = self._stops[last] or "," in self._before[last]
        return closed and "?" not in self._before[last] and self._before[end] in ("", ",", "-")


def _sentences(stops: list[bool]) -> tuple[list[int], list[int]]:
    """Return for each word where its sentence begins, and the next place where one begins."""
    first: list[int] = []
    last: list[int] = []
    begin = 0
    for place in compress(range(len(stops)), stops):
        first += [begin] * (place - len(first))
        last += [place] * (place + 1 - len(last))
        begin = place
    return [*first, begin], last
