"""Turn wall times of a zone into moments, also on the days on which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = timedelta(minutes=1)


class NoSuchTime(Exception):
    """A wall time does not exist on its day, or exists twice, because the clock changes.

    `choices` are the possible moments, earliest first. `message` names them in a sentence.
    """

    def __init__(self, message: str, choices: tuple[datetime, ...]) -> None:
        super().__init__(message)
        self.message = message
        self.choices = choices


def moments(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the moments, in UTC, at which the zone's clocks show this wall time: 0, 1 or 2."""
    found = []
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            found.append(moment)
    return tuple(sorted(set(found)))


def first_moment(wall: datetime, zone: tzinfo) -> datetime:
    """Return the first moment of a wall time; the clock change for a wall time that is skipped."""
    while not (found := moments(wall, zone)):
        wall += _MINUTE
    return found[0]


def resolve_wall(wall: datetime, zone: tzinfo, *, name: str = "") -> datetime:
    """Return the moment of a wall time that a person typed. `name` is the zone's name.

    Raises NoSuchTime when the clock skips the wall time or shows it twice. For a skipped time the
    choices lie as far before and after the clock change as the gap is long.
    """
    found = moments(wall, zone)
    if len(found) == 1:
        return found[0].astimezone(zone)
    where = f" ({name})" if name else ""
    if found:
        choices = tuple(moment.astimezone(zone) for moment in found)
        named = " or ".join(f"{at:%H:%M} {at.tzname()}" for at in choices)
        raise NoSuchTime(
            f"The clock is set back on this day{where}, so {wall:%H:%M} comes twice."
            f" Choose which one: {named}.",
            choices,
        )
    # Read once with the offset after the change and once with the offset before it.
    earlier, later = sorted(
        wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (0, 1)
    )
    raise NoSuchTime(
        f"The clock is set forward on this day{where}, so {wall:%H:%M} does not exist."
        f" Choose {earlier:%H:%M} or {later:%H:%M}.",
        (earlier, later),
    )
