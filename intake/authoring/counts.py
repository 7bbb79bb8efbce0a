"""The counts in the README of a protocol, written by `manage.py protocol counts NAME`."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

from intake import protocols
from intake.authoring import golden
from intake.domain.definition import FLAG, Protocol
from intake.domain.minutes import minutes
from intake.protocols.files import Place, Unreadable, shown_path

BEGIN: Final = "<!-- counts: written by manage.py protocol counts -->"
END: Final = "<!-- end of counts -->"
_BLOCK: Final = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)


def readme_of(name: str) -> Path:
    """Return the README of a protocol."""
    return protocols.HERE / name / "README.md"


def counted(protocol: Protocol) -> str:
    """Return the README of a protocol with today's counts. Raises Unreadable."""
    path = readme_of(protocol.name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Unreadable(
            Place(shown_path(path)), "the file is missing or cannot be read."
        ) from None
    block = f"{BEGIN}\n{_sentence(protocol)}\n{END}"
    with_counts, found = _BLOCK.subn(lambda _: block, text)
    if found != 1:
        message = f"write “{BEGIN}” and “{END}” once, each on a line, where the counts belong."
        raise Unreadable(Place(shown_path(path)), message)
    return with_counts


def is_current(protocol: Protocol) -> bool:
    """Whether the README says today's counts. Raises Unreadable."""
    return counted(protocol) == readme_of(protocol.name).read_text(encoding="utf-8")


def _sentence(protocol: Protocol) -> str:
    counts = Counter(rule.level for rule in protocol.rules.rules)
    levels = [*(level.code for level in protocol.rules.levels), FLAG]
    by_level = ", ".join(f"{counts[code]} {code.replace('_', ' ')}" for code in levels)
    own, *common = (len(golden.cases(protocol, table)) for table in golden.tables_of(protocol))
    shared = "".join(f" and {count} shared ones" for count in common)
    return (
        f"{len(protocol.questions)} questions on {len(protocol.pages)} pages,"
        f" {len(protocol.rules.computed)} computed values,"
        f" {len(protocol.rules.rules)} rules ({by_level}),\n"
        f"{own} cases of its own{shared} in the golden tables."
        f" A patient needs about {minutes(protocol)} minutes."
    )
