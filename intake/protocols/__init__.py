"""Find and load the protocols. Each protocol is a folder here; `served.yaml` says which are served.

A signature may lie in the folder of the setting PROTOCOL_APPROVALS, outside of the program's tree:
`<name>.yaml` instead of the protocol's `approval.yaml`, and `<name>.<language>.yaml` instead of the
keys `approval` and `safety` of a translation.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings

from intake.domain import translation
from intake.domain.danger_words import Danger
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
UNREADABLE: Final = (LookupError, Unreadable)
"""What a name without a protocol, or a fault in a file, raises."""


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
    return from_folder(HERE / name, approval_file(name))


def from_folder(folder: Path, approval: Path | None = None) -> Protocol:
    """Load the protocol in any folder; `approval` is the file in which it is signed.

    Raises Unreadable.
    """
    data, signed = data_of(folder), read(approval or folder / "approval.yaml") or {}
    decode(data["questionnaire"], lambda part: msgspec.convert(part, Questionnaire))
    decode(data["rules"], rules_from_data)
    if "danger" in data:
        decode(data["danger"], lambda part: msgspec.convert(part, Danger))
    decode(signed, lambda part: msgspec.convert(part, Approval))
    name = folder.name
    return decode(data["questionnaire"], lambda _part: from_data(name, **data, approval=signed))


def data_of(folder: Path) -> dict[str, Any]:
    """Return the data of questionnaire, rules and danger by these names, with the shared parts.

    The shared parts lie in the folder `shared` beside the protocol's. Raises Unreadable.
    """
    common = _shared_parts(folder.parent)
    files = ("questionnaire", "rules")
    data = {file: parts.fill(read(folder / f"{file}.yaml"), common) for file in files}
    danger = _danger_of(folder)
    if danger is None:
        return data
    return data | {"rules": parts.with_frames(data["rules"], danger), "danger": danger}


def _danger_of(folder: Path) -> Any:
    """Return the words of danger: those of the shared folders that are named, and its own."""
    if not (folder / "danger.yaml").is_file():
        return None
    own = read(folder / "danger.yaml")
    words = {key: value for key, value in own.items() if key != "shared"}
    for name in own.get("shared", ()):
        words = parts.more_danger(read(folder.parent / "shared" / name / "danger.yaml"), words)
    return words


def shared(name: str) -> dict[str, tuple[str, ...]]:
    """Return the shared parts that a protocol uses, each with the options that it leaves out."""
    files = [read(HERE / name / f"{file}.yaml") for file in ("questionnaire", "rules")]
    used = (reference for file in files for reference in parts.references(file))
    return {each["shared"]: tuple(each.get("without", ())) for each in used}


@cache
def served_names() -> tuple[str, ...]:
    """Return the names of the served protocols, in the order in which they are offered.

    Raises Unreadable when `served.yaml` is not a list of known protocols, each named once. The
    message says how to correct the file.
    """
    data = read(HERE / "served.yaml")
    names = decode(data, lambda listed: msgspec.convert(listed, tuple[str, ...]))
    if not names:
        raise Unreadable(data.place, "Name at least one protocol, such as `- legs`.")
    for number, name in enumerate(names):
        if name not in available():
            known = ", ".join(available())
            message = f"There is no protocol “{name}”. There is: {known}."
            raise Unreadable(data.places[number], message)
        if name in names[:number]:
            raise Unreadable(data.places[number], f"“{name}” stands twice.")
    return names


@cache
def served() -> tuple[Protocol, ...]:
    """Return the served protocols, in the order in which they are offered."""
    return tuple(load(name) for name in served_names())


def current() -> Protocol:
    """Return the first served protocol, which an address without a protocol means."""
    return served()[0]


def named(name: str) -> Protocol | None:
    """Return the protocol of this name, served or not; None if it is unknown or unreadable."""
    try:
        return load(name)
    except UNREADABLE:
        return None


@cache
def by_hash() -> Mapping[str, Protocol]:
    """Return today's protocols by their content hash. A folder with a fault is left out."""
    found = (named(name) for name in (*served_names(), *available()))
    return {protocol.content_hash: protocol for protocol in found if protocol is not None}


def approval_file(name: str) -> Path:
    """Return the file in which the protocol is signed."""
    return _outside(f"{name}.yaml") or HERE / name / "approval.yaml"


def _outside(file: str) -> Path | None:
    """Return a file of the folder PROTOCOL_APPROVALS; None when it is not there."""
    folder = getattr(settings, "PROTOCOL_APPROVALS", "")
    path = Path(folder) / file
    return path if folder and path.is_file() else None


def languages(name: str) -> tuple[str, ...]:
    """Return the codes of the languages that the protocol is translated into, sorted."""
    return tuple(sorted(path.stem for path in (HERE / name).glob("[a-z][a-z].yaml")))


@cache
def translated(name: str, language: str) -> Translation | None:
    """Load the protocol's translation, once per process; None when there is no translation.

    Raises the same errors as `load`.
    """
    path, signatures = HERE / name / f"{language}.yaml", _outside(f"{name}.{language}.yaml")
    if not path.is_file():
        return None
    words = decode(words_of(path), translation.from_data)
    if signatures is None:
        return words
    signed = decode(read(signatures), lambda data: msgspec.convert(data, translation.Signatures))
    return msgspec.structs.replace(words, approval=signed.approval, safety=signed.safety)


def words_of(path: Path) -> Any:
    """Return the data of a translation, with the words of the shared parts. Raises Unreadable."""
    words, folder = read(path), path.parent
    for common in _shared_files(folder.parent, path.stem):
        words = parts.words(words, common, shared(folder.name))
    return words


@cache
def stored(name: str) -> Stored | None:
    """Return the values that the protocol's oldest stored documents lack.

    None when the protocol has no file `uses-stored.yaml`.
    """
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
