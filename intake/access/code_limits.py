"""Limit how often one-time codes are asked for, and how many letters with a code are sent.

No answer may tell a stranger whether a reference and an address fit, and no stranger may use up the
codes of a patient. So a request is counted under exactly what was typed, right or wrong: a made-up
pair has a limit that no patient shares. The limit of the whole site counts letters only. Once it is
reached, every request with an address alone waits, whether or not the address is a patient's.
"""

from datetime import timedelta

from django.conf import settings

from clinic import limits
from clinic.limits import Limit

CODE_LIFETIME = timedelta(minutes=10)
MOST_LIVE = 3  # codes for one pair that work at the same time, each in its own browser
MOST_A_DAY = 10  # codes for one pair
RESERVE = 10  # patients who give a reference also have a reserve of 10 times the site's limit
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def count_request(*, peer: str, mailbox: int, reference: str | None) -> int:
    """Count a network's request for a code. Returns 0, or the seconds until it may ask again.

    `mailbox` is the address key; `reference` is None when the address alone was given. Call it
    outside of a transaction.
    """
    question = f"code:{reference or ''}:{mailbox}"
    asked = (
        Limit(f"ask-peer:{peer}", settings.LIMIT_CODES_PEER, HOUR),
        # tokens come back as fast as codes expire, so at most MOST_LIVE codes work at once
        Limit(f"{question}:live", MOST_LIVE, MOST_LIVE * CODE_LIFETIME),
        Limit(f"{question}:day", MOST_A_DAY, DAY),
    )
    first, *rest = asked
    if not limits.take_all(first) and _letters_left(reference) and not limits.take_all(*rest):
        return 0
    letters = min(map(limits.seconds_to_wait, _letters(reference)))
    return max(1, letters, *map(limits.seconds_to_wait, asked))


def count_letter(*, reference: str | None) -> None:
    """Count a letter with a code, in the transaction that puts it into the outbox.

    The letter is sent in any case: `count_request` checked the limit before it was known whether
    the pair fits. A few of many simultaneous requests may exceed the limit.
    """
    any(limits.take(key, capacity=capacity, per=per) for key, capacity, per in _letters(reference))


def _letters_left(reference: str | None) -> bool:
    """Whether the site may send one more letter.

    Staff are alerted as soon as the ordinary limit is reached, even while the reserve lasts.
    """
    ordinary, *reserve = _letters(reference)
    if not limits.seconds_to_wait(ordinary):
        return True
    limits.sound_alarm()
    return any(not limits.seconds_to_wait(limit) for limit in reserve)


def _letters(reference: str | None) -> list[Limit]:
    """Return the limits of a letter. The letter takes a token of the first limit that has one left.

    The second limit is for letters to a given reference, so a stranger who knows only addresses
    cannot use it up.
    """
    most = settings.LIMIT_CODES_SITE
    ordinary = Limit("codes-site", most, HOUR)
    if reference is None:
        return [ordinary]
    return [ordinary, Limit("codes-site-reserve", RESERVE * most, HOUR)]
