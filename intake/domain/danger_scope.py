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
from collections.abc import Iterable, Iterator
from itertools import accumulate
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
        self.stops = [not _STOPS.isdisjoint(mark) for mark in before]
        self.stops[-1] = True
        self._count = len(words)
        self._first = _last_stops(self.stops)
        backwards = _last_stops(self.stops[::-1])
        self._last = [self._count - place for place in reversed(backwards)]
        self._spans = spans
        self._at = {role: self._role(danger, role) for role in danger.roles}
        self._signs = self._starts(danger.signs & spans.keys())
        self._at["patient"] = dict.fromkeys(patient, 0)
        self._hidden = self._hides()
        self._denied = self._denials()
        self._places = danger.places
        self._serious = frozenset(danger.roles.get("serious", ()))

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
        whole = min(start for start, _end in spans), max(end for _start, end in spans)
        if not frame.missing and (
            any(self._denied[start] for start, _end in signs)
            or (frame.named and self._is_cleared(whole))
            or (self._is_mistaken(whole) and not self._serious.intersection(frame.of))
        ):
            return DENIED
        if any(self._guarded(concept, whole) for concept in frame.unless):
            return PAST
        if self._is_others(signs, whole, named=frame.named):
            return OTHER
        if self._is_feared(signs, whole, named=frame.named):
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
        serious = any(
            start < span[1] and span[0] < end
            for concept in self._serious
            for start, end in self._spans.get(concept, ())
        )
        if denied or self._denied_after(span) or (self._is_mistaken(span) and not serious):
            return DENIED
        if self._is_others([span], span, named=False):
            return OTHER
        if self._is_feared([span], span, named=False):
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
        table = self._at.get(role)
        if not table:
            return []
        return [place for place in range(max(0, start), min(end, self._count)) if place in table]

    def _sentence(self, span: Span, near: int) -> Span:
        """Return the words around a span, at most `near` on each side, in the same sentence."""
        start, end = span
        first, last = self._first[start], self._last[end]
        return max(first, start - near), min(last, end + near)

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
            if start not in inside and not self._after_cannot(start):
                for place in self._denied_from(end, whole_list=True):
                    denied[place] = True
        for start, end in self._signs.items():
            if self._denied_after((start, end)):
                denied[start] = True
                for before in self._joined_before(start):
                    denied[before] = True
        return denied

    def _joined_before(self, place: int) -> Iterator[int]:
        """Yield the signs that an "or" joins to the one that begins at `place`."""
        while place - 1 in self._at.get("joins", {}):
            ends = (at for at in range(place - _NEAR, place) if self._signs.get(at) == place - 1)
            place = next(ends, -1)
            if place < 0:
                return
            yield place

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
        """Whether the sign is answered: "Chest pain? No". "Cold foot, no."."""
        end = span[1]
        while end in self._at.get("places", {}):
            end = self._at["places"][end]
        answers = self._at.get("answers_no", {})
        if end not in answers:
            return False
        if "?" in self._before[end] or ":" in self._before[end]:
            return True
        last = end
        while last in answers and last < end + _NEAR:
            last = answers[last]
        closed = self.stops[last] or "," in self._before[last]
        return closed and "?" not in self._before[last] and self._before[end] in ("", ",", "-")

    def _is_cleared(self, whole: Span) -> bool:
        """Whether an illness was looked for and not found: "a clot, and it was negative"."""
        start, end = self._sentence(whole, 2 * _NEAR)
        return bool(self._within("cleared", start, end)) and not self._goes_on_now(whole)

    def _is_mistaken(self, whole: Span) -> bool:
        """Whether the patient takes back a tick: "I marked chest pain by mistake"."""
        return bool(self._within("mistaken", *self._sentence(whole, 2 * _NEAR)))

    # Past, and somebody else's

    def _guarded(self, concept: str, whole: Span) -> bool:
        start, end = self._sentence(whole, 2 * _NEAR)
        spans = self._spans.get(concept, [])
        first = bisect_left(spans, (start, 0))
        guards = [span for span in spans[first : first + 20] if span[1] <= end]
        return bool(guards) and not self._goes_on_now(whole)

    def _goes_on_now(self, whole: Span) -> bool:
        """Whether words near the sign say that it goes on.

        "Today" or "again" count in the sentence, "is" or "hurts" only up to a comma or "but".
        """
        start, end = self._sentence(whole, _NEAR)
        over = self._within("over", start, end)
        covered = {inside for place in over for inside in range(place, self._at["over"][place])}
        if any(place not in covered for place in self._within("today", start, end)):
            return True
        first, last = whole
        breaks = self._at.get("breaks", {})
        while first > start and "," not in self._before[first]:
            first -= 1
        while last < end and "," not in self._before[last] and last not in breaks:
            last += 1
        return any(place not in covered for place in self._within("now", first, last))

    def _is_past(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        start, end = self._sentence(whole, _NEAR)
        if self._goes_on_now(whole):
            return False
        if self._is_dated(whole, named=named):
            return True
        times = self._times(start, end)
        if not times:
            return False
        after = whole[1]
        if any(after <= time <= after + 1 for time in times):
            return True
        if named and any(whole[0] - 2 <= time < whole[0] for time in times):
            return True
        return any(self._carried("had", start, sign[0]) for sign in signs)

    def _is_dated(self, whole: Span, *, named: bool) -> bool:
        """Whether a time long ago and the sign belong to one verb of the past.

        The verb stands in the hit or right before it: "In 2002 I lost a lot of blood". Before the
        name of an illness it may stand farther away: "in 2002 they found a clot".
        """
        first, last = whole
        start, end = self._sentence(whole, 2 * _NEAR)
        verbs = [*self._within("told", start, last), *self._within("had", start, last)]
        for time in self._times(start, end):
            after = self._at["long_ago"][time]
            if after <= first:
                near = after if named else first - 2
                if self._one_account(after, last) and any(near <= verb for verb in verbs):
                    return True
            elif last <= time and self._one_account(first, time):
                path = range(last, time)
                if any(first - 2 <= verb for verb in verbs) or (
                    all(place in self._at.get("links", {}) for place in path)
                    or (named and len(path) <= _NEAR and not any(map(self._is_sign, path)))
                ):
                    return True
        return False

    def _is_sign(self, place: int) -> bool:
        """Whether a sign begins at a word, and not only a place of the body."""
        return self._signs.get(place, 0) > self._at.get("places", {}).get(place, 0)

    def _times(self, start: int, end: int) -> list[int]:
        """Return where times long ago stand, without those that something goes on since."""
        since = self._at.get("since", {})
        return [time for time in self._within("long_ago", start, end) if time - 1 not in since]

    def _one_account(self, first: int, last: int) -> bool:
        """Whether the words tell one thing, or one after the other with a verb of the past each."""
        for place in range(first, last):
            if any(place in self._at.get(role, {}) for role in ("today", "now", "breaks")):
                return False
            joined = place in self._at.get("joins_weakly", {})
            if joined or (place > first and "," in self._before[place]):
                verb = place + joined
                if not any(verb in self._at.get(role, {}) for role in ("told", "had")):
                    return False
        return True

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
        start, end = self._sentence(whole, 3 * _NEAR)
        if whole[1] in self._at.get("in_family", {}):
            return True
        if self._goes_on_now(whole):
            return False
        families = self._within("in_family", start, end)
        if named and any(not self._is_patient_in(family, whole) for family in families):
            return True
        persons = self._within("relation", start, whole[0])
        if not persons or self._is_patient_in(persons[-1], whole):
            return False
        if any(self._carried("history", persons[-1], sign[0]) for sign in signs):
            return True
        if named and ":" in self._before[whole[0]] and persons[-1] == whole[0] - 1:
            return True
        told = self._within("told", persons[-1], whole[1])
        told += self._within("had", persons[-1], whole[1])
        if not told:
            return False
        if named or self._is_of_the_dead(start, end, whole):
            return True
        distant = self._within("acquaintance", start, whole[0])
        return bool(distant and self._within("prompted", start, end))

    def _is_of_the_dead(self, start: int, end: int, whole: Span) -> bool:
        """Whether the person before the hit has died, as told before or right after it."""
        return any(
            place < whole[0] or not self._within("relation", whole[1], place)
            for place in self._within("deceased", start, end)
        )

    def _is_patient_in(self, person: int, whole: Span) -> bool:
        """Whether the patient is named between another person and the end of the hit."""
        return bool(self._within("patient", person + 1, whole[1]))

    def _is_feared(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        """Whether the sign is feared, supposed or quoted: "what if it bursts", "a leaflet says"."""
        start, end = self._sentence(whole, _NEAR)
        if any(self._carried("feared", start, sign[0]) for sign in signs):
            return True
        if self._within("today", *self._sentence(whole, 3)):
            return False
        quotes = self._within("quoted", whole[0] - 20 * _NEAR, whole[0])
        if quotes and not self._is_patient_in(quotes[-1] - 1, whole):
            return True
        start, end = self._sentence(whole, 2 * _NEAR)
        if named and self._within("supposed", start, end):
            return True
        if self._within("now", *whole):
            return False
        reports = self._within("reported", start, whole[0])
        if reports and not self._is_patient_in(reports[-1], whole):
            return True
        return any(
            not self._within("breaks", condition, whole[0])
            for condition in self._within("conditional", start, whole[0])
        )


def _last_stops(stops: list[bool]) -> list[int]:
    """Return for each place the last stop up to it; 0 where there is none."""
    return list(accumulate((place if stop else 0 for place, stop in enumerate(stops)), max))
