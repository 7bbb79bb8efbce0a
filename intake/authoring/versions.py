"""Find another version of a protocol: in a folder, in a stored document, or in git."""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from intake import protocols
from intake.domain.definition import Protocol, from_document
from intake.protocols.files import ROOT


def version(name: str, where: str) -> Protocol:
    """Return the version of a protocol that `where` names.

    `where` is the folder of a protocol, a file with a stored document (JSON), or a commit of git.
    Raises LookupError, whose message is a sentence, for any other `where`, and Unreadable for a
    faulty file.
    """
    path = Path(where)
    if path.is_dir():
        return protocols.from_folder(path.resolve())
    if path.is_file():
        try:
            return from_document(path.read_bytes(), protocols.stored(name))
        except msgspec.DecodeError as error:
            raise LookupError(f"{where} is no stored protocol: {error}.") from None
    return _committed(name, where)


def _committed(name: str, commit: str) -> Protocol:
    folder = protocols.HERE.relative_to(ROOT) if protocols.HERE.is_relative_to(ROOT) else None
    try:
        packed = subprocess.run(
            ["git", "archive", commit, "--", str(folder)],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        message = f"“{commit}” is no folder, no file with a stored protocol, and no commit of git."
        raise LookupError(message) from None
    with TemporaryDirectory() as place, tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(place, filter="data")
        older = Path(place) / str(folder) / name
        if not older.is_dir():
            raise LookupError(f"There was no protocol “{name}” in “{commit}”.")
        return protocols.from_folder(older)
