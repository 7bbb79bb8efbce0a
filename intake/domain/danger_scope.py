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
    ) -> None:
        self._before = before
        self._stops = [*(not _STOPS.isdisjoint(mark) for mark in before), True]
        self._count = len(words)
        self._spans = spans
        self._at = {role: self._role(danger, role) for role in danger.roles}
        in_frames = {concept for frame in danger.frames for concept in frame.of}
        self._signs = self._starts(in_frames - danger.places)
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
        if any(self._denied[start] for start, _end in signs):
            return DENIED
        whole = min(start for start, _end in spans), max(end for _start, end in spans)
        if any(self._guarded(concept, whole) for concept in frame.unless):
            return PAST
        if self._is_others(signs, whole, named=frame.named):
            return OTHER
        return PAST if self._is_past(signs, whole) else NOW

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
        if self._is_others([span], span, named=False):
            return OTHER
        return PAST if self._is_past([span], span) else NOW

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

    def _hides(self) -> dict[int, Span]:
        """Return for each word the harmless phrase that it is a part of."""
        hidden: dict[int, Span] = {}
        for span in self._at.get("harmless", {}).items():
            for place in range(*span):
                if place not in hidden or hidden[place][1] - hidden[place][0] < span[1] - span[0]:
                    hidden[place] = span
        return hidden

    def _is_hidden(self, span: Span) -> bool:
        return any(
            place in self._hidden
            and self._hidden[place][1] - self._hidden[place][0] >= span[1] - span[0]
            for place in range(*span)
        )

    def _within(self, role: str, start: int, end: int) -> list[int]:
        """Return the places from `start` up to `end` at which a phrase of the role begins."""
        table = self._at.get(role, {})
        return [place for place in range(max(0, start), min(end, self._count)) if place in table]

    def _sentence(self, span: Span, near: int) -> Span:
        """Return the words around a span, at most `near` on each side, in the same sentence."""
        start, end = span
        while start > 0 and span[0] - start < near and not self._stops[start]:
            start -= 1
        while end < self._count and end - span[1] < near and not self._stops[end]:
            end += 1
        return start, end

    # Denied

    def _denials(self) -> list[bool]:
        denied = [False] * (self._count + 1)
        inside = {place for start, end in self._signs.items() for place in range(start, end)} | {
            place
            for start, end in self._at.get("no_denial", {}).items()
            for place in range(start, end)
        }
        for start, end in self._at.get("denies", {}).items():
            if start not in inside:
                for place in self._denied_from(end):
                    denied[place] = True
        for start, end in self._signs.items():
            if self._denied_after((start, end)):
                denied[start] = True
        return denied

    def _denied_from(self, place: int) -> list[int]:
        """Return the signs that a negation denies which ends at `place`."""
        found: list[int] = []
        after_sign = False
        while place < self._count and not self._stops[place]:
            comma = "," in self._before[place] or ":" in self._before[place]
            if comma and not self._goes_on(place, after_sign):
                break
            if place in self._at.get("denies", {}) and after_sign:
                break
            if place in self._signs:
                end = self._signs[place]
                if after_sign:
                    break
                if self._undone(end):
                    break
                found += [inner for inner in range(place, end) if inner in self._signs]
                place, after_sign = end, True
                continue
            if place in self._at.get("joins", {}):
                place, after_sign = self._at["joins"][place], False
            elif place in self._at.get("joins_weakly", {}):
                if not self._goes_on(place + 1, after_sign):
                    break
                place, after_sign = place + 1, False
            elif place in self._at.get("places", {}):
                place = self._at["places"][place]
            elif place in self._at.get("after_no", {}):
                if after_sign:
                    break
                place = self._at["after_no"][place]
            else:
                break
            if comma:
                after_sign = False
        return found

    def _goes_on(self, place: int, after_sign: bool) -> bool:
        """Whether a list of denied signs goes on after a comma or an "and"."""
        if place >= self._count or place not in self._signs or not after_sign:
            return False
        end = self._signs[place]
        return end >= self._count or self._stops[end] or "," in self._before[end]

    def _undone(self, end: int) -> bool:
        """Whether words such as "until today" or "like this" take the denial back."""
        _start, last = self._sentence((end, end), _NEAR)
        return bool(self._within("undoes", end, last))

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
        start, end = self._sentence(whole, _NEAR)
        over = self._within("over", start, end)
        covered = {inside for place in over for inside in range(place, self._at["over"][place])}
        return any(place not in covered for place in self._within("now", start, end))

    def _is_past(self, signs: list[Span], whole: Span) -> bool:
        start, end = self._sentence(whole, _NEAR)
        times = self._within("long_ago", start, end)
        if not times or self._goes_on_now(whole):
            return False
        after = whole[1]
        if any(after <= time <= after + 1 for time in times):
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
        start, end = self._sentence(whole, _NEAR + 2)
        if not self._within("relation", start, end) or self._goes_on_now(whole):
            return False
        if self._within("history", start, end):
            return True
        return named and any(self._carried("had", start, sign[0]) for sign in signs)
