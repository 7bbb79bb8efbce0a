"""Find and load the protocols. Each is a folder here; `served.yaml` lists the served protocols.

Signatures may also lie outside the program's own files, in the folder PROTOCOL_APPROVALS. There,
`<name>.yaml` replaces the `approval.yaml` of a protocol, and `<name>.<language>.yaml` replaces the
keys `approval` and `safety` of a translation.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings

from intake.domain import findings, translation
from intake.domain.danger_words import Danger, OwnWords
from intake.domain.definition import (
    Approval,
    Protocol,
    Questionnaire,
    from_data,
    rules_from_data,
)
from intake.domain.findings import Scale
from intake.domain.languages import LanguageFacts
from intake.domain.translation import Translation
from intake.domain.uses import Stored
from intake.protocols import parts
from intake.protocols.files import Place, Unreadable, decode, read, read_keys, shown_path

HERE: Final = Path(__file__).parent
FINDINGS: Final = HERE / "findings.yaml"
UNREADABLE: Final = (LookupError, Unreadable)
"""The exceptions for a name without a protocol and for a fault in a file."""


FILES: Final = ("questionnaire", "rules", "approval")
"""The names of the YAML files of a protocol. A folder with none of them is no protocol."""


LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")
"""The code of a language, as the name of a translation's file."""


def available() -> tuple[str, ...]:
    """Return the names of all protocols, sorted: the folders with at least one file of FILES."""
    found = (path.parent.name for file in FILES for path in HERE.glob(f"*/{file}.yaml"))
    return tuple(sorted(set(found)))


@cache
def load(name: str) -> Protocol:
    """Load the protocol with this name, once per process.

    Raises LookupError for an unknown name. Raises Unreadable, which names file and line, if a file
    is missing or cannot be used.
    """
    if name not in available():
        raise LookupError(f"There is no protocol “{name}”. There is: {', '.join(available())}.")
    protocol = from_folder(HERE / name, approval_file(name))
    for scale in protocol.uses.findings:
        if scale not in scales():
            file = shown_path(HERE / name / "questionnaire.yaml")
            raise Unreadable(Place(file), f"findings.yaml has no scale “{scale}”.")
    return protocol


def from_folder(folder: Path, approval: Path | None = None) -> Protocol:
    """Load the protocol in any folder. Raises Unreadable.

    `approval` is the file with the signature, by default `approval.yaml` in the folder.
    """
    data, approval = data_of(folder), approval or folder / "approval.yaml"
    signed = read_keys(approval) if read(approval) else {}  # an empty file signs nothing
    decode(data["questionnaire"], lambda part: msgspec.convert(part, Questionnaire))
    decode(data["rules"], rules_from_data)
    if "danger" in data:
        decode(data["danger"], lambda part: msgspec.convert(part, Danger))
    decode(signed, lambda part: msgspec.convert(part, Approval))
    name = folder.name
    return decode(data["questionnaire"], lambda _part: from_data(name, **data, approval=signed))


def data_of(folder: Path) -> dict[str, Any]:
    """Return the data of questionnaire, rules and danger by these names, with the shared parts.

    The shared parts are in the folder `shared` next to the protocol's folder. Raises Unreadable.
    """
    common = _shared_parts(folder.parent)
    files = ("questionnaire", "rules")
    data = {file: parts.fill(read_keys(folder / f"{file}.yaml"), common) for file in files}
    danger = _danger_of(folder)
    if danger is None:
        return data
    return data | {"rules": parts.with_frames(data["rules"], danger), "danger": danger}


def _danger_of(folder: Path) -> Any:
    """Return the words of danger: those of the shared folders that are named, and its own."""
    if not (folder / "danger.yaml").is_file():
        return None
    own = read_keys(folder / "danger.yaml", OwnWords)
    words = {key: value for key, value in own.items() if key != "shared"}
    for name in own.get("shared", ()):
        shared_words = read_keys(folder.parent / "shared" / name / "danger.yaml", Danger)
        words = parts.more_danger(shared_words, words)
    return words


def shared(name: str) -> dict[str, tuple[str, ...]]:
    """Return the shared parts in a protocol: name → the options that the protocol leaves out."""
    files = [read(HERE / name / f"{file}.yaml") for file in ("questionnaire", "rules")]
    used = (reference for file in files for reference in parts.references(file))
    return {each["shared"]: tuple(each.get("without", ())) for each in used}


@cache
def served_names() -> tuple[str, ...]:
    """Return the names of the served protocols, in the order in which patients see them.

    `served.yaml` must list one or more known protocols, each once. Otherwise raises Unreadable,
    whose message says how to correct the file.
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
    """Return the served protocols, in the order in which patients see them."""
    return tuple(load(name) for name in served_names())


def current() -> Protocol:
    """Return the protocol that is served first. Addresses that name no protocol mean this one."""
    return served()[0]


def of_page(page: str) -> Protocol | None:
    """Return the served protocol to which an education page, such as `clots/overview`, leads.

    This is the protocol that names the page under `learn` at its head. If no protocol names the
    page, it is the protocol that names the page's condition, here `clots`. Returns None if no
    protocol is found or more than one; then the reader chooses.
    """
    for slug in (page, page.partition("/")[0]):
        found = [each for each in served() if slug in each.questionnaire.learn]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def named(name: str) -> Protocol | None:
    """Return the protocol with this name, served or not; None if it is unknown or unreadable."""
    try:
        return load(name)
    except UNREADABLE:
        return None


@cache
def by_hash() -> Mapping[str, Protocol]:
    """Map content hashes to the current protocols. Protocols that cannot be read are left out."""
    found = (named(name) for name in (*served_names(), *available()))
    return {protocol.content_hash: protocol for protocol in found if protocol is not None}


def approval_file(name: str) -> Path:
    """Return the file with the protocol's signature."""
    return _outside(f"{name}.yaml") or HERE / name / "approval.yaml"


def _outside(file: str) -> Path | None:
    """Return a file of the folder PROTOCOL_APPROVALS; None if the file does not exist."""
    folder = getattr(settings, "PROTOCOL_APPROVALS", "")
    path = Path(folder) / file
    return path if folder and path.is_file() else None


def languages(name: str) -> tuple[str, ...]:
    """Return the codes of the languages into which the protocol is translated, sorted."""
    stems = {path.stem for path in (HERE / name).glob("*.yaml")}
    return tuple(sorted(stem for stem in stems if LANGUAGE.fullmatch(stem)))


@cache
def translated(name: str, language: str) -> Translation | None:
    """Load the protocol's translation, once per process; None if there is no translation.

    Raises the same errors as `load`.
    """
    path, signatures = HERE / name / f"{language}.yaml", _outside(f"{name}.{language}.yaml")
    if not path.is_file():
        return None
    data = words_of(path)
    words = decode(data, translation.from_data)
    if words.language != language:
        place = data.places["language"]
        raise Unreadable(place, f"Write `language: {language}`, as the file is named.")
    if signatures is None:
        return words
    signed = decode(read(signatures), lambda data: msgspec.convert(data, translation.Signatures))
    return msgspec.structs.replace(words, approval=signed.approval, safety=signed.safety)


def words_of(path: Path) -> Any:
    """Return the data of a translation, with the words of the shared parts. Raises Unreadable."""
    words, folder = read_keys(path, parts.Words), path.parent
    for common in _shared_files(folder.parent, path.stem, parts.Words):
        words = parts.words(words, common, shared(folder.name))
    return words


@cache
def scales() -> Mapping[str, Scale]:
    """Map the ids of all scales of findings to the scales, in the order of their file.

    Raises Unreadable.
    """
    found = decode(read(FINDINGS), findings.from_data)
    return {scale.id: scale for scale in found}


@cache
def language_facts(language: str) -> LanguageFacts | None:
    """Return what the checks know of a language, from its file in `languages/`.

    Returns None if the language has no file. Raises Unreadable.
    """
    path = HERE / "languages" / f"{language}.yaml"
    if not path.is_file():
        return None
    return decode(read(path), lambda data: msgspec.convert(data, LanguageFacts))


@cache
def stored(name: str) -> Stored | None:
    """Return the values that complete the protocol's oldest stored documents.

    Returns None if the protocol has no file `uses-stored.yaml`.
    """
    path = HERE / name / "uses-stored.yaml"
    return (
        decode(read_keys(path), lambda data: msgspec.convert(data, Stored))
        if path.is_file()
        else None
    )


def stories(name: str) -> Any:
    """Return the data of the protocol's invented people."""
    return read_keys(HERE / name / "stories.yaml")


def _shared_parts(protocols: Path) -> dict[str, Any]:
    """Return all shared parts by name. `protocols` is the folder that contains `shared`."""
    found: dict[str, Any] = {}
    for kind in ("questionnaire", "rules"):
        for file in _shared_files(protocols, kind, parts.Shared):
            more = parts.parts_of(file)
            if twice := sorted(found.keys() & more.keys()):
                message = f"Two shared parts have the name “{twice[0]}”."
                raise Unreadable(file.place, message)
            found |= more
    return found


def _shared_files(protocols: Path, file: str, shape: type[msgspec.Struct]) -> list[Any]:
    paths = sorted((protocols / "shared").glob(f"*/{file}.yaml"))
    return [read_keys(path, shape) for path in paths]
