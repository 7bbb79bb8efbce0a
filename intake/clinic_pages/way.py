"""Draw the way to a clinic's door from its steps in words, and link to the map of a phone."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TURNS = {"ahead": (0, _("Straight ahead:")), "left": (-1, _("Left:")), "right": (1, _("Right:"))}
"""Word before the colon of a step → quarter turns to the right, and what patients read."""
_HEADINGS = ((0, -1), (1, 0), (0, 1), (-1, 0))  # up, right, down, left
_UNIT = 40  # length of a stretch
_EDGE = 24  # room around the drawing for the numbers of the steps
MOST_STEPS = 12


@dataclass(frozen=True)
class Step:
    """A step of the way: its number, its turn and its words, and where it is in the drawing."""

    number: int
    turn: str | Promise
    words: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """The way as a line from the first step to the last. Its size is that of the drawing."""

    steps: tuple[Step, ...]
    width: int
    height: int

    @property
    def points(self) -> str:
        """The corners of the line, as SVG writes them."""
        return " ".join(f"{step.x},{step.y}" for step in self.steps)


def draw(lines: list[str]) -> Drawing | None:
    """Return the drawing of a way; None for a way without steps.

    The first step looks up. A line such as "left: at the pharmacy" turns there, and a line without
    such a word goes straight on. Every stretch has the same length. Steps above MOST_STEPS are left
    out, because nobody can read such a drawing.
    """
    x = y = heading = 0
    corners = []
    for line in lines[:MOST_STEPS]:
        sign, colon, rest = line.partition(":")
        known = TURNS.get(sign.strip().lower()) if colon else None
        quarters, turn = known or (0, "")
        corners.append((x, y, turn, rest.strip() if known else line))
        heading = (heading + quarters) % len(_HEADINGS)
        x, y = x + _HEADINGS[heading][0], y + _HEADINGS[heading][1]
    if not corners:
        return None
    left, top = min(corner[0] for corner in corners), min(corner[1] for corner in corners)
    steps = tuple(
        Step(number, turn, words, (x - left) * _UNIT + _EDGE, (y - top) * _UNIT + _EDGE)
        for number, (x, y, turn, words) in enumerate(corners, 1)
    )
    return Drawing(
        steps,
        width=max(step.x for step in steps) + _EDGE,
        height=max(step.y for step in steps) + _EDGE,
    )


def map_link(
    *, name: str, address: str, latitude: Decimal | None, longitude: Decimal | None
) -> str:
    """Return the `geo:` link with which a phone opens its own map; '' without place and address."""
    if latitude is not None and longitude is not None:
        return f"geo:{latitude},{longitude}?q={latitude},{longitude}({quote(name, safe='')})"
    words = " ".join(address.split())
    return f"geo:0,0?q={quote(words, safe='')}" if words else ""
