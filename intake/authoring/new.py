"""Begin a protocol: make a folder that passes every check and has only shared questions so far."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from intake.domain.uses import OWN_ADDRESSES

TEMPLATE: Final = Path(__file__).parent / "template"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def begin(name: str, protocols: Path, today: date) -> list[Path]:
    """Write the files of a new protocol into the folder `protocols` / `name`. Returns their paths.

    Raises ValueError, whose message is a sentence, for a name that no protocol may have.
    """
    folder = protocols / name
    if not _NAME.fullmatch(name):
        raise ValueError(f"“{name}” is no name: write small letters, digits and single hyphens.")
    if name in OWN_ADDRESSES:
        raise ValueError(f"The program has an address “/intake/{name}/”. Choose another name.")
    if folder.exists():
        raise ValueError(f"There is a protocol “{name}” already. Choose another name.")
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATE.iterdir())}
    folder.mkdir()
    for file, text in texts.items():
        filled = text.replace("DATE", today.isoformat()).replace("NAME", name)
        (folder / file).write_text(filled, encoding="utf-8")
    return [folder / file for file in texts]
