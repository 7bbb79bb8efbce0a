"""Find and load the protocols. Each protocol is a folder here."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from intake.domain import translation
from intake.domain.definition import (
    Approval,
    Protocol,
    Questionnaire,
    from_data,
    rules_from_data,
)
from intake.domain.translation import Translation
from intake.domain.uses import Stored
from intake.protocols import parts
from intake.protocols.files import Unreadable, decode, read

HERE: Final = Path(__file__).parent
CURRENT: Final = "legs"


FILES: Final = ("questionnaire", "rules", "approval")
"""The names of the YAML files without which a folder is no protocol."""


def available() -> tuple[str, ...]:
    """Return the names of all protocols, sorted. A folder with one of the files is a protocol."""
    found = (path.parent.name for file in FILES for path in HERE.glob(f"*/{file}.yaml"))
    return tuple(sorted(set(found)))


@cache
def load(name: str) -> Protocol:
    """Load the protocol with this name, once per process.

    Raises LookupError for an unknown name. Raises Unreadable, with file and line, when a file is
    missing or cannot be used.
    """
    if name not in available():
        raise LookupError(f"There is no protocol “{name}”. There is: {', '.join(available())}.")
    return from_folder(HERE / name)


def from_folder(folder: Path) -> Protocol:
    """Load the protocol in any folder. Raises Unreadable."""
    data = data_of(folder)
    decode(data["questionnaire"], lambda part: msgspec.convert(part, Questionnaire))
    decode(data["rules"], rules_from_data)
    decode(data["approval"] or {}, lambda part: msgspec.convert(part, Approval))
    return decode(data["questionnaire"], lambda _part: from_data(folder.name, **data))


def data_of(folder: Path) -> dict[str, Any]:
    """Return the data of a protocol's files by their names, with the shared parts in it.

    The shared parts lie in the folder `shared` beside the protocol's. Raises Unreadable.
    """
    common = _shared_parts(folder.parent)
    return {file: parts.fill(read(folder / f"{file}.yaml"), common) for file in FILES}


def shared(name: str) -> dict[str, tuple[str, ...]]:
    """Return the shared parts that a protocol uses, each with the options that it leaves out."""
    files = [read(HERE / name / f"{file}.yaml") for file in ("questionnaire", "rules")]
    used = (reference for file in files for reference in parts.references(file))
    return {each["shared"]: tuple(each.get("without", ())) for each in used}


def current() -> Protocol:
    """Return the protocol of new drafts."""
    return load(CURRENT)


def languages(name: str) -> tuple[str, ...]:
    """Return the codes of the languages that the protocol is translated into, sorted."""
    return tuple(sorted(path.stem for path in (HERE / name).glob("[a-z][a-z].yaml")))


@cache
def translated(name: str, language: str) -> Translation | None:
    """Load the protocol's translation, once per process; None when there is no translation.

    Raises the same errors as `load`.
    """
    path = HERE / name / f"{language}.yaml"
    if not path.is_file():
        return None
    return decode(words_of(path), translation.from_data)


def words_of(path: Path) -> Any:
    """Return the data of a translation, with the words of the shared parts. Raises Unreadable."""
    words, folder = read(path), path.parent
    for common in _shared_files(folder.parent, path.stem):
        words = parts.words(words, common, shared(folder.name))
    return words


@cache
def stored(name: str) -> Stored | None:
    """Return what completes the protocol's old documents; None when it has none so old."""
    path = HERE / name / "uses-stored.yaml"
    return (
        decode(read(path), lambda data: msgspec.convert(data, Stored)) if path.is_file() else None
    )


def stories(name: str) -> Any:
    """Return the data of the protocol's invented people."""
    return read(HERE / name / "stories.yaml")


def _shared_parts(protocols: Path) -> dict[str, Any]:
    """Return all shared parts beside the protocols, by name."""
    found: dict[str, Any] = {}
    for kind in ("questionnaire", "rules"):
        for file in _shared_files(protocols, kind):
            more = parts.parts_of(file)
            if twice := sorted(found.keys() & more.keys()):
                message = f"Two shared parts have the name “{twice[0]}”."
                raise Unreadable(file.place, message)
            found |= more
    return found


def _shared_files(protocols: Path, file: str) -> list[Any]:
    return [read(path) for path in sorted((protocols / "shared").glob(f"*/{file}.yaml"))]
