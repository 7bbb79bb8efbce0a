"""A small protocol in a folder, and slips of the pen in its files."""

import shutil
from pathlib import Path

from intake.authoring.new import TEMPLATE

SHARED = TEMPLATE.parents[1] / "protocols" / "shared"


def copied(to: Path) -> Path:
    """Copy the template protocol, and the parts that protocols share. Returns the copy's folder."""
    folder = to / "small"
    folder.mkdir(parents=True)
    shutil.copytree(SHARED, to / "shared")
    for path in TEMPLATE.iterdir():
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(text.replace("DATE", "2026-11-30"), encoding="utf-8")
    return folder


def slip(folder: Path, file: str, old: str, new: str) -> int:
    """Replace the first `old` in a file by `new`. Returns the number of the changed line."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1
