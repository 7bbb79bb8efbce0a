"""A small protocol in a folder, and slips of the pen in its files."""

import shutil
from pathlib import Path

from intake.authoring.new import TEMPLATE

SHARED = TEMPLATE.parents[1] / "protocols" / "shared"


def copied(to: Path) -> Path:
    """Return a folder with the files of the template, beside the shared parts."""
    folder = to / "small"
    folder.mkdir(parents=True)
    shutil.copytree(SHARED, to / "shared")
    for path in TEMPLATE.iterdir():
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(text.replace("DATE", "2026-11-30"), encoding="utf-8")
    return folder


def slip(folder: Path, file: str, old: str, new: str) -> int:
    """Write `new` for the first `old` of a file. Return the line on which that stands."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1
