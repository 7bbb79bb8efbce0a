"""How often one-time codes are asked for, and how many letters with a code go out.

No answer may tell a stranger whether a number and an address fit, and no stranger may use up what
the patient needs. So an ask is counted under exactly what was typed, right or wrong: a made-up pair
has a limit that no patient shares. The limit of the whole site counts letters alone; when they are
used up, all wait who know an address alone, whether or not it is a patient's.
"""

from datetime import timedelta

from django.conf import settings

from clinic import limits
from clinic.limits import Limit

CODE_LIVES = timedelta(minutes=10)
LIVE = 3  # codes for one question that can be entered at the same time, each in its own browser
A_DAY = 10  # codes for one question
RESERVE = 10  # times the site's limit: for those who know the right pair
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def count_request(*, peer: str, mailbox: int, reference: str | None) -> int:
    """Count that a network asks for a code: for a pair of number and address, or for an address
    alone (None). Returns 0 when it may, otherwise the seconds until it may ask again.

    `mailbox` is the address key. Call it outside of a transaction.
    """
    question = f"code:{reference or ''}:{mailbox}"
    asked = (
        Limit(f"ask-peer:{peer}", settings.LIMIT_CODES_PEER, HOUR),
        # tokens come back as fast as codes end: never are more than LIVE of them alive
        Limit(f"{question}:live", LIVE, LIVE * CODE_LIVES),
        Limit(f"{question}:day", A_DAY, DAY),
    )
    first, *rest = asked
    if not limits.take_all(first) and _letters_left(reference) and not limits.take_all(*rest):
        return 0
    letters = min(map(limits.seconds_to_wait, _letters(reference)))
    return max(1, letters, *map(limits.seconds_to_wait, asked))


def count_letter(*, reference: str | None) -> None:
    """Count a code that is put into the outbox, inside of its transaction.

    It is sent in any case: `count_request` asked whether one may be sent, before it was known
    whether there is anything to send. Of many requests at once a few may pass the limit.
    """
    any(limits.take(key, capacity=capacity, per=per) for key, capacity, per in _letters(reference))


def _letters_left(reference: str | None) -> bool:
    """Whether the whole site may send one more. Staff hear of it as soon as the ordinary limit is
    reached, also while the reserve lasts."""
    ordinary, *reserve = _letters(reference)
    if not limits.seconds_to_wait(ordinary):
        return True
    limits.sound_alarm()
    return any(not limits.seconds_to_wait(limit) for limit in reserve)


def _letters(reference: str | None) -> list[Limit]:
    """The limits that a letter counts for, the first that has a token left. Of the second a
    stranger uses nothing up who knows addresses and no numbers."""
    most = settings.LIMIT_CODES_SITE
    ordinary = Limit("codes-site", most, HOUR)
    if reference is None:
        return [ordinary]
    return [ordinary, Limit("codes-site-reserve", RESERVE * most, HOUR)]
