"""Measure the alarm load of a protocol: how many patients it raises, how many it sends elsewhere.

The patients are invented for the demonstration, so a real clinic has other shares. The same seed
gives the same shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from clinic.opening_hours import ClinicHours
from intake.demonstration.bulk import walk_of
from intake.demonstration.people import patients
from intake.domain.bounds import upper_bound
from intake.domain.definition import Protocol
from intake.domain.triage import Assessment
from intake.domain.wording import Wording
from intake.wording import advice

SAME_DAY_GOAL: Final = 0.16
ELSEWHERE_GOAL: Final = 0.06
_NIGHT: Final = timedelta(hours=4)  # after closing
_A_WORKING_DAY: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)  # no holiday on this day or the next


class AlarmLoad(NamedTuple):
    """Numbers of patients, out of `of`: by urgency, and by the rule that raised them to same day.

    `elsewhere` counts the same-day patients whom the pages send to urgent care or an emergency room
    at night, `elsewhere_weekend` those whom the pages send there at the weekend.
    """

    of: int
    urgencies: Counter[str]
    same_day_rules: Counter[str]
    elsewhere: int
    elsewhere_weekend: int


def measured(protocol: Protocol, calendar: ClinicHours, *, count: int, seed: int = 1) -> AlarmLoad:
    """Return the alarm load among `count` patients of the demonstration."""
    words = Wording(protocol)
    night = calendar.closing(_A_WORKING_DAY) + _NIGHT
    weekend = _longest_closed(calendar)
    urgencies: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    at_night = at_weekend = 0
    for patient in patients(protocol, seed=seed, count=count, until=_A_WORKING_DAY):
        found = walk_of(patient).assessment
        urgencies[found.urgency] += 1
        if found.urgency != "same_day":
            continue
        rules += Counter(rule.id for rule in advice.winning_rules(found))
        at_night += _is_sent_elsewhere(words, found, calendar, night)
        at_weekend += _is_sent_elsewhere(words, found, calendar, weekend)
    return AlarmLoad(count, urgencies, rules, at_night, at_weekend)


def _is_sent_elsewhere(
    words: Wording, found: Assessment, calendar: ClinicHours, at: datetime
) -> bool:
    return not advice.all_may_wait(words, advice.winning_rules(found), calendar, at)


def _longest_closed(calendar: ClinicHours) -> datetime:
    """Return the time one hour after the start of the week's longest closed time."""
    closings = [calendar.closing(_A_WORKING_DAY + timedelta(days=days)) for days in range(7)]
    last = max(closings, key=lambda at: calendar.next_opening(at) - at)
    return last + timedelta(hours=1)


def report(load: AlarmLoad) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{load.of} patients of the demonstration:"
    for urgency in ("emergency", "same_day", "urgent", "soon", "routine"):
        yield f"  {urgency.replace('_', ' ')}: {_share(load.urgencies[urgency], load.of)}"
    goal = f"goal {SAME_DAY_GOAL:.0%}"
    yield f"same day: {_share(load.urgencies['same_day'], load.of)}, {goal}"
    goal = f"goal {ELSEWHERE_GOAL:.0%}"
    yield f"sent elsewhere at night: {_share(load.elsewhere, load.of)}, {goal}"
    yield f"sent elsewhere at the weekend: {_share(load.elsewhere_weekend, load.of)}"
    yield "What raised to same day, of those whom no emergency raised:"
    for rule, number in load.same_day_rules.most_common():
        yield f"  {rule}: {number}"


def _share(number: int, of: int) -> str:
    return f"{number} ({number / of:.1%}, at most {upper_bound(number, of):.1%})"
