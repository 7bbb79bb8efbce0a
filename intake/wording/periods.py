"""Write the periods of a level in words, and put them into texts in place of placeholders."""

from clinic import hours
from intake.domain.definition import Level, Within
from intake.domain.levels import PLACEHOLDER, periods


def words_of(within: Within) -> str:
    """Return a period in words, in the current language: '6 weeks'."""
    return hours.period_words(
        open_hours=within.open_hours or 0,
        business_days=within.business_days or 0,
        days=within.days or 0,
    )


def filled(text: str, level: Level, *, by: str = "", opening: str = "") -> str:
    """Put the level's periods into a text, in the current language.

    `by` is the day and time by which the clinic contacts the patient, `opening` the day and time of
    the next opening.
    """
    words = {name: words_of(within) for name, within in periods(level).items()}
    words |= {"by": by, "opening": opening}
    return PLACEHOLDER.sub(lambda found: words.get(found[1], found[0]), text)
