"""Names and code that stored data speaks of, kept for good.

Rows and documents of earlier releases hold these names, so they never change, whatever a protocol
calls its questions today.
"""

from __future__ import annotations

from typing import Final

PHONE: Final = "callback_phone"
LANGUAGE_HELP: Final = "lang_help"
ACKNOWLEDGED: Final = "ack"
WHO: Final = "who"
"""Names of what a patient says in the contact step, in a draft's contact and a submission's
person."""
