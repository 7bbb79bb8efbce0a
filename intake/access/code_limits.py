"""Limit how often one-time codes are asked for, and how many letters with a code are sent.

No answer may tell a stranger whether a reference and an address belong together, and no stranger
may use up a patient's codes. So a request counts under exactly the reference and address that were
typed, whether or not they belong together: a made-up pair has a limit of its own, which no patient
shares. The limit of the whole site counts letters only. While this limit is reached, every request
with an address alone is refused, whether or not the address is a patient's.
"""

from datetime import timedelta

from django.conf import settings

from clinic import limits
from clinic.limits import Limit

CODE_LIFETIME = timedelta(minutes=10)
MOST_LIVE = 3  # the most live codes of one pair (reference and address), each in its own browser
MOST_A_DAY = 10  # the most codes of one pair in a day
# letters to patients who give a reference have a reserve, 10 times as large as the site's limit
RESERVE = 10
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def count_request(*, peer: str, mailbox: int, reference: str | None) -> int:
    """Count a request for a code. Returns 0, or the seconds until the next request may succeed.

    `peer` is the network of the request, `mailbox` the key of the address. `reference` is None when
    the patient gave only the address. Call this function outside of a transaction.
    """
    question = f"code:{reference or ''}:{mailbox}"
    asked = (
        Limit(f"ask-peer:{peer}", settings.LIMIT_CODES_PEER, HOUR),
        # one token comes back in each CODE_LIFETIME, after which a code has expired; so at most
        # MOST_LIVE codes work at once
        Limit(f"{question}:live", MOST_LIVE, MOST_LIVE * CODE_LIFETIME),
        Limit(f"{question}:day", MOST_A_DAY, DAY),
    )
    first, *rest = asked
    if not limits.take_all(first) and _letters_left(reference) and not limits.take_all(*rest):
        return 0
    letters = min(map(limits.seconds_to_wait, _letters(reference)))
    return max(1, letters, *map(limits.seconds_to_wait, asked))


def count_letter(*, reference: str | None) -> None:
    """Count a letter with a code, in the transaction that puts the letter into the outbox.

    The letter is sent even beyond the limit. `count_request` checks the limit earlier, when the
    program does not know yet whether the reference and address fit, so some of many simultaneous
    requests may exceed the limit.
    """
    any(limits.take(key, capacity=capacity, per=per) for key, capacity, per in _letters(reference))


def _letters_left(reference: str | None) -> bool:
    """Whether the site may send one more letter.

    Alerts staff as soon as the ordinary limit is reached, even while the reserve lasts.
    """
    ordinary, *reserve = _letters(reference)
    if not limits.seconds_to_wait(ordinary):
        return True
    limits.sound_alarm()
    return any(not limits.seconds_to_wait(limit) for limit in reserve)


def _letters(reference: str | None) -> list[Limit]:
    """Return the limits of a letter, which takes a token of the first limit that has a token left.

    Only a letter to a patient who gave a reference has the second limit, so that a stranger who
    knows only addresses cannot use up this limit.
    """
    most = settings.LIMIT_CODES_SITE
    ordinary = Limit("codes-site", most, HOUR)
    if reference is None:
        return [ordinary]
    return [ordinary, Limit("codes-site-reserve", RESERVE * most, HOUR)]
