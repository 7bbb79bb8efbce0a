"""Decide whether a danger in a text is now, denied, past, or not the patient's own.

In doubt, the rules for *denied* and *past* decide for *now*:

- *Denied*: a negation reaches the sign (`intake.domain.danger_denial`), a test ruled an illness
  out, or the patient takes back a tick.
- *Past*: the text dates the sign (more than 14 days ago, a year, an age), and no word near the sign
  says that the sign goes on.
- *Other*: a relative died of the illness or had it, or the patient only fears, supposes or quotes
  the sign.
- *Now*: everything else.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Final

from intake.domain.danger_denial import NEAR, Denials, Span
from intake.domain.danger_words import Frame

NOW: Final = "now"
DENIED: Final = "denied"
PAST: Final = "past"
OTHER: Final = "other"


_DATED: Final = frozenset({"long_ago"})
_NOW: Final = frozenset({"today", "now"})
_PERSONS: Final = frozenset({"relation", "in_family"})
_FEARED: Final = frozenset({"feared", "supposed", "reported", "conditional"})
_TAKEN_BACK: Final = frozenset({"mistaken", "cleared"})


class Scopes(Denials):
    """Judges whether each sign in a text is there now, denied, past, or another person's."""

    @cached_property
    def _going_on(self) -> dict[Span, bool]:
        """What `_goes_on_now` has said so far."""
        return {}

    @cached_property
    def _roles_in(self) -> list[set[str]]:
        """For each sentence the roles that begin in it, as far as they decide a scope."""
        found: list[set[str]] = [set() for _ in range(self._sentence_of[-1] + 1)]
        for role in (*_DATED, *_NOW, *_PERSONS, *_FEARED, *_TAKEN_BACK):
            for place in self._order.get(role, ()):
                found[self._sentence_of[place]].add(role)
        return found

    def _tells(self, whole: Span, roles: frozenset[str]) -> bool:
        """Whether a phrase of these roles stands in the sentences of a hit."""
        number, last = self._sentence_of[whole[0]], self._sentence_of[whole[1] - 1]
        while roles.isdisjoint(self._roles_in[number]):
            if number == last:
                return False
            number += 1
        return True

    def _quotes(self, whole: Span) -> list[int]:
        """Return the places at which a text is quoted before a hit, also in other sentences."""
        return self._within("quoted", whole[0] - 20 * NEAR, whole[0])

    def of_hit(self, frame: Frame, spans: tuple[Span, ...]) -> str:
        """Return the scope of a hit; `spans` stand in the order of the frame's concepts."""
        places, denied = self._places, self._denied
        signs = [s for concept, s in zip(frame.of, spans, strict=True) if concept not in places]
        signs = signs or list(spans)
        whole = spans[0]
        if len(spans) > 1:
            whole = min(start for start, _end in spans), max(end for _start, end in spans)
        if not frame.missing:
            for start, _end in signs:
                if denied[start]:
                    return DENIED
            if (frame.named and self._is_cleared(whole)) or (
                self._is_mistaken(whole) and not self._serious.intersection(frame.of)
            ):
                return DENIED
        if frame.unless and any(self._guarded(concept, whole) for concept in frame.unless):
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
        ends = (span[0], span[1] - 1)
        harmless = self._at.get("harmless", {}).items()
        if any(start <= place < end for start, end in harmless for place in ends):
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

    def _is_cleared(self, whole: Span) -> bool:
        """Whether a test ruled the illness out, as in "a clot, and it was negative"."""
        if not self._tells(whole, _TAKEN_BACK):
            return False
        start, end = self._sentence(whole, 2 * NEAR)
        return bool(self._within("cleared", start, end)) and not self._goes_on_now(whole)

    def _is_mistaken(self, whole: Span) -> bool:
        """Whether the patient takes back a tick, as in "I marked chest pain by mistake"."""
        if not self._tells(whole, _TAKEN_BACK):
            return False
        return bool(self._within("mistaken", *self._sentence(whole, 2 * NEAR)))

    def _guarded(self, concept: str, whole: Span) -> bool:
        if (spans := self._spans.get(concept)) is None:
            return False
        start, end = self._sentence(whole, 2 * NEAR)
        first = bisect_left(spans, (start, 0))
        times = {
            place
            for time in self._times(start, end)
            for place in range(time, self._at["long_ago"][time])
        }  # in "3 years ago", "years" does not say that the sign lasts
        guards = [s for s in spans[first : first + 20] if s[1] <= end and s[0] not in times]
        return bool(guards) and not self._goes_on_now(whole)

    def _goes_on_now(self, whole: Span) -> bool:
        """Whether words near the sign say that the sign goes on.

        "Today" and "again" count in the whole sentence. "Is" and "hurts" count only up to a comma
        or a "but".
        """
        if whole not in self._going_on:
            self._going_on[whole] = self._tells(whole, _NOW) and self._said_to_go_on(whole)
        return self._going_on[whole]

    def _said_to_go_on(self, whole: Span) -> bool:
        start, end = self._sentence(whole, NEAR)
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
        cannot = self._at.get("cannot", {})
        inside = [place for place in range(*whole) if place in cannot]
        return any(
            place not in covered and place not in inside
            for place in self._within("now", first, last)
        )

    def _is_past(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        if not self._tells(whole, _DATED):
            return False
        start, end = self._sentence(whole, NEAR)
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
        """Whether a time long ago and the sign belong to the same verb in the past tense.

        The verb stands in the hit or right before the hit, as in "In 2002 I lost a lot of blood".
        Before the name of an illness, the verb may stand farther away: "in 2002 they found a clot".
        """
        first, last = whole
        start, end = self._sentence(whole, 2 * NEAR)
        verbs = [*self._within("told", start, last), *self._within("had", start, last)]
        for time in self._times(start, end):
            after = self._at["long_ago"][time]
            if after <= first:
                near = after if named else first - 2
                if self._one_account(after, last) and any(near <= verb for verb in verbs):
                    return True
            elif time < last:
                if any(first - 3 <= verb for verb in verbs):
                    return True
            elif self._one_account(first, time):
                path = range(last, time)
                if any(first - 2 <= verb for verb in verbs) or (
                    all(place in self._at.get("links", {}) for place in path)
                    or (named and len(path) <= NEAR and not any(map(self._is_sign, path)))
                ):
                    return True
        return False

    def _is_sign(self, place: int) -> bool:
        """Whether a sign begins at this word. A place of the body alone is no sign."""
        return self._signs.get(place, 0) > self._at.get("places", {}).get(place, 0)

    def _times(self, start: int, end: int) -> list[int]:
        """Return the places of times long ago, except after a "since"."""
        since = self._at.get("since", {})
        return [time for time in self._within("long_ago", start, end) if time - 1 not in since]

    def _one_account(self, first: int, last: int) -> bool:
        """Whether the words tell one event, or several that each have a verb in the past tense."""
        for place in range(first, last):
            if any(place in self._at.get(role, {}) for role in ("today", "now", "breaks")):
                return False
            joined = place in self._at.get("joins_weakly", {})
            if joined or (place > first and "," in self._before[place]):
                verb = place + joined
                if not any(verb in self._at.get(role, {}) for role in ("told", "had", "long_ago")):
                    return False
        return True

    def _carried(self, role: str, start: int, sign: int) -> bool:
        """Whether a phrase of the role stands before the sign, with only carrying words between.

        After another sign, a time cuts the sign off, as in "a bypass 3 years ago, leg cold".
        """
        for place in reversed(self._within(role, start, sign + 1)):
            at, other = self._at[role][place], False
            while at < sign:
                step = next(
                    (
                        self._at[kind][at]
                        for kind in ("after_no", "places", "long_ago", "joins", "joins_weakly")
                        if at in self._at.get(kind, {})
                    ),
                    0,
                )
                if not step:
                    step, other = self._signs.get(at, 0), True
                if not step or (other and at in self._at.get("long_ago", {})):
                    break
                at = step
            if at >= sign:
                return True
        return False

    def _is_others(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        """Whether a relative had the illness or died of it, or the illness runs in the family."""
        if whole[1] in self._at.get("in_family", {}):
            return True
        if not self._tells(whole, _PERSONS):
            return False
        start, end = self._sentence(whole, 3 * NEAR)
        families = [self._at["in_family"][at] for at in self._within("in_family", start, end)]
        today = self._within("today", *self._sentence(whole, NEAR))
        in_family = any(not self._is_patient_in(family - 1, whole) for family in families)
        if named and in_family and not today:
            return True
        if self._goes_on_now(whole):
            return False
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
        return bool(distant and self._within("prompted", start, whole[1] + 3 * NEAR))

    def _is_of_the_dead(self, start: int, end: int, whole: Span) -> bool:
        """Whether the text says, before or right after the hit, that the relative has died."""
        return any(
            place < whole[0] or not self._within("relation", whole[1], place)
            for place in self._within("deceased", start, end)
        )

    def _is_patient_in(self, person: int, whole: Span) -> bool:
        """Whether a word such as "my" stands between another person and the end of the hit."""
        return bool(self._within("patient", person + 1, whole[1]))

    def _is_feared(self, signs: list[Span], whole: Span, *, named: bool) -> bool:
        """Whether the patient fears, supposes or quotes the sign, as in "what if it bursts"."""
        quotes = self._quotes(whole)
        if not quotes and not self._tells(whole, _FEARED):
            return False
        if "," in self._before[whole[1]] and whole[1] in self._at.get("answers_yes", {}):
            return False
        start, end = self._sentence(whole, NEAR)
        if any(self._carried("feared", start, sign[0]) for sign in signs):
            return True
        if self._within("today", *self._sentence(whole, 3)):
            return False
        start, end = self._sentence(whole, 2 * NEAR)
        came_true = bool(self._within("came_true", whole[1], end))
        if quotes and not came_true and not self._is_patient_in(quotes[-1] - 1, whole):
            return True
        if named and self._within("supposed", start, end):
            return True
        if came_true or self._within("now", *whole):
            return False
        reports = self._within("reported", start, whole[0])
        if reports and not self._is_patient_in(reports[-1], whole):
            return True
        return any(
            not self._within("breaks", condition, whole[0])
            for condition in self._within("conditional", start, whole[0])
        )
