"""Decide whether a danger in a text is now, denied, past or somebody else's.

The first two of these four rules err to the side of *now*:

- *Denied*: a negation stands before the sign, and between them only words that carry a negation
  ("have", "any", "signs of"), places and other denied signs. So "I don't feel well, my chest hurts"
  denies nothing.
- *Past*: the sign is told with a time beyond 14 days, a year or an age, and nothing near it says
  that it goes on.
- *Other*: a relative "died of" it, or had an illness that is called by its name.
- *Now*: everything else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from intake.domain.danger_words import Danger, Frame

NOW: Final = "now"
DENIED: Final = "denied"
PAST: Final = "past"
OTHER: Final = "other"

Span = tuple[int, int]
_STOPS: Final = frozenset(".!?;")
_NEAR: Final = 6
"""So many words on each side of a sign are searched for the time that is told."""


class Scopes:
    """The scopes of one text: its words, the punctuation before each, and where concepts stand."""

    def __init__(
        self,
        danger: Danger,
        words: list[str],
        before: list[str],
        spans: dict[str, list[Span]],
        patient: list[int],
    ) -> None:
        self._before = before
        self.stops = [*(not _STOPS.isdisjoint(mark) for mark in before), True]
        self._count = len(words)
        self._spans = spans
        self._at = {role: self._role(danger, role) for role in danger.roles}
        self._signs = self._starts(danger.signs & spans.keys())
        self._at["patient"] = dict.fromkeys(patient, 0)
        self._hidden = self._hides()
        self._denied = self._denials()
        self._places = danger.places

    def visible(self, concept: str) -> list[Span]:
        """Return where the concept stands, without what a harmless phrase hides."""
        spans = self._spans.get(concept, [])
        if not self._hidden:
            return spans
        return [span for span in spans if not self._is_hidden(span)]

    def of_hit(self, frame: Frame, spans: tuple[Span, ...]) -> str:
        """Return the scope of a hit; `spans` stand in the order of the frame's concepts."""
        pairs = zip(frame.of, spans, strict=True)
        signs = [span for concept, span in pairs if concept not in self._places] or list(spans)
        if not frame.missing and any(self._denied[start] for start, _end in signs):
            return DENIED
        whole = min(start for start, _end in spans), max(end for _start, end in spans)
        if any(self._guarded(concept, whole) for concept in frame.unless):
            return PAST
        if self._is_others(signs, whole, named=frame.named):
            return OTHER
        if self._is_feared(signs, whole):
            return OTHER
        return PAST if self._is_past(signs, whole, named=frame.named) else NOW

    def of_words(self, span: Span) -> str:
        """Return the scope of any words, such as those that a pattern found."""
        if span[0] >= self._count:
            return NOW
        if self._is_hidden(span):
            return PAST
        denied = self._denied[span[0]] or any(
            self._denied[start] for start in range(*span) if start in self._signs
        )
        if denied or self._denied_after(span):
            return DENIED
        if self._is_others([span], span, named=False) or self._is_feared([span], span):
            return OTHER
        return PAST if self._is_past([span], span, named=False) else NOW

    # Tables

    def _role(self, danger: Danger, role: str) -> dict[int, int]:
        return self._starts(danger.roles[role])

    def _starts(self, concepts: Iterable[str]) -> dict[int, int]:
        """Return start → the farthest end of the concepts' phrases."""
        found: dict[int, int] = {}
        for concept in concepts:
            for start, end in self._spans.get(concept, ()):
                found[start] = max(end, found.get(start, 0))
        return found

    def _hides(self) -> dict[int, int]:
        """Return for each word the length of the longest phrase that it hides in.

        A harmless phrase hides what is as long as itself, another covering phrase only what is
        shorter.
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
        table = self._at.get(role, {})
        return [place for place in range(max(0, start), min(end, self._count)) if place in table]

    def _sentence(self, span: Span, near: int) -> Span:
        """Return the words around a span, at most `near` on each side, in the same sentence."""
        start, end = span
        while start > 0 and span[0] - start < near and not self.stops[start]:
            start -= 1
        while end < self._count and end - span[1] < near and not self.stops[end]:
            end += 1
        return start, end

    # Denied

    def _denials(self) -> list[bool]:
        denied = [False] * (self._count + 1)
        inside = {
            place
            for start, end in self._signs.items()
            if end - start > 1
            for place in range(start, end)
        } | {
            place
            for start, end in self._at.get("no_denial", {}).items()
            for place in range(start, end)
        }
        for start, end in self._at.get("denies", {}).items():
            if start not in inside and not self._after_cannot(start):
                for place in self._denied_from(end, whole_list=False):
                    denied[place] = True
        for start, end in self._at.get("denies_all", {}).items():
            if start not in inside:
                for place in self._denied_from(end, whole_list=True):
                    denied[place] = True
        for start, end in self._signs.items():
            if self._denied_after((start, end)):
                denied[start] = True
        return denied

    def _after_cannot(self, place: int) -> bool:
        """Whether the negation is the second one: "I can't walk without gasping"."""
        start, _end = self._sentence((place, place), _NEAR)
        return any("," not in self._before[place] for _at in self._within("cannot", start, place))

    def _denied_from(self, place: int, *, whole_list: bool) -> list[int]:
        """Return the signs that a negation denies which ends at `place`.

        A negation reaches over words that carry it, places and other signs. It passes a comma only
        where the list that follows has an "or", as in "no fever, chills or cough": "no fever, foot
        cold" goes on with something else. Words of medical staff such as "denies" or "ruled out"
        reach over the `whole_list`.
        """
        sure: list[int] = []
        listed: list[int] = []
        after_sign = commas = False
        while place < self._count and not self.stops[place]:
            if "," in self._before[place] or ":" in self._before[place]:
                commas, after_sign = True, False
            if place in self._at.get("joins", {}):
                sure, listed = sure + listed, []
                place, after_sign = self._at["joins"][place], False
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
                if commas and not whole_list:
                    listed += inner
                else:
                    sure += inner
                place, after_sign = end, after_sign or not where
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
        """Whether a list of denied signs goes on after an "and"."""
        if place >= self._count or place not in self._signs or not after_sign:
            return False
        end = self._signs[place]
        return end >= self._count or self.stops[end] or "," in self._before[end]

    def _undone(self, end: int) -> bool:
        """Whether words such as "until today" or "like this" take the denial back."""
        _start, last = self._sentence((end, end), _NEAR)
        if self._within("undoes", end, last):
            return True
        return bool(self._within("changed", end, end + 2 * _NEAR))

    def _denied_after(self, span: Span) -> bool:
        """Whether the sign is asked and answered: "Chest pain? No"."""
        end = span[1]
        asked = end < self._count and ("?" in self._before[end] or ":" in self._before[end])
        return asked and end in self._at.get("answers_no", {})

    # Past, and somebody else's

    def _guarded(self, concept: str, whole: Span) -> bool:
        start, end = self._sentence(whole, _NEAR + 2)
        spans = self._spans.get(concept, [])
        first = bisect_left(spans, (start, 0))
        guards = [span for span in spans[first : first + 20] if span[1] <= end]
        return bool(guards) and not self._goes_on_now(whole)

    def _goes_on_now(self, whole: Span) -> bool:
        """Whether words near the sign say that it goes on.

        "Today" or "again" count in the sentence, "is" or "hurts" only up to the next comma.
        """
        start, end = self._sentence(whole, _NEAR)
        over = self._within("over", start, end)
        covered = {inside for place in over for inside in range(place, self._at["over"][place])}
        if any(place not in covered for place in self._within("today", start, end)):
            return True
        first, last = whole
        while first > start and "," not in self._before[first]:
            first -= 1
        while last < end and "," not in self._before[last]:
            last += 1
        return any(place not in covered for place in self._within("now", first, last))

    def _is_past(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        start, end = self._sentence(whole, _NEAR)
        times = self._within("long_ago", start, end)
        if not times or self._goes_on_now(whole):
            return False
        after = whole[1]
        if any(after <= time <= after + 1 for time in times):
            return True
        if named and any(whole[0] - 2 <= time < whole[0] for time in times):
            return True
        return any(self._told_as_past(start, sign[0]) for sign in signs)

    def _told_as_past(self, start: int, sign: int) -> bool:
        """Whether "had" stands before the sign, with only carrying words between them."""
        return self._carried("had", start, sign)

    def _carried(self, role: str, start: int, sign: int) -> bool:
        for place in reversed(self._within(role, start, sign + 1)):
            at = self._at[role][place]
            while at < sign:
                step = next(
                    (
                        self._at[kind][at]
                        for kind in ("after_no", "places", "long_ago", "joins", "joins_weakly")
                        if at in self._at.get(kind, {})
                    ),
                    self._signs.get(at, 0),
                )
                if not step:
                    break
                at = step
            if at >= sign:
                return True
        return False

    def _is_others(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        """Whether a relative died of it, or had it, or it runs in the family."""
        start, _end = self._sentence(whole, _NEAR + 2)
        relations = self._within("relation", start, whole[0])
        if any(self._carried("history", start, sign[0]) for sign in signs):
            return bool(relations)
        if whole[1] in self._at.get("in_family", {}):
            return True
        if not named or not relations or self._goes_on_now(whole):
            return False
        if ":" in self._before[whole[0]] and relations[-1] == whole[0] - 1:
            return True
        return any(self._carried("had", relations[-1], sign[0]) for sign in signs)

    def _is_feared(self, signs: list[Span], whole: Span) -> bool:
        """Whether the sign is feared or quoted: "afraid of a clot", "your leaflet says"."""
        start, _end = self._sentence(whole, _NEAR)
        if any(self._carried("feared", start, sign[0]) for sign in signs):
            return True
        start, end = self._sentence(whole, _NEAR)
        quotes = self._within("quoted", whole[0] - 20 * _NEAR, whole[0])
        return bool(quotes) and not (
            self._within("today", start, end) or self._within("patient", quotes[-1], whole[1])
        )
