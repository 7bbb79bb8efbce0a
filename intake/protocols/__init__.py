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
import yaml
from django.conf import settings

from intake.domain import translation
from intake.domain.definition import Protocol, from_data
from intake.domain.translation import Translation
from intake.domain.uses import Stored
from intake.protocols import parts

HERE: Final = Path(__file__).parent
UNREADABLE: Final = (LookupError, OSError, msgspec.ValidationError, yaml.YAMLError)
"""What a name without a protocol, or a fault in a file, raises."""


def available() -> tuple[str, ...]:
    """Return the names of all protocols, sorted."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/questionnaire.yaml")))


@cache
def load(name: str) -> Protocol:
    """Load the protocol with this name, once per process.

    Raises LookupError for an unknown name. Raises yaml.YAMLError or msgspec.ValidationError, with
    the place of the fault, when a file cannot be read.
    """
    if name not in available():
        raise LookupError(f"There is no protocol “{name}”. There is: {', '.join(available())}.")
    return from_data(
        name,
        questionnaire=data(name, "questionnaire"),
        rules=data(name, "rules"),
        approval=_read(approval_file(name)),
    )


def data(name: str, file: str) -> Any:
    """Return the data of a protocol's file, with the shared parts filled in.

    Raises the same errors as `load`.
    """
    return parts.fill(_read(HERE / name / f"{file}.yaml"), _shared())


def shared(name: str) -> dict[str, tuple[str, ...]]:
    """Return the shared parts that a protocol uses, each with the options that it leaves out."""
    files = [_read(HERE / name / f"{file}.yaml") for file in ("questionnaire", "rules")]
    used = (reference for file in files for reference in parts.references(file))
    return {each["shared"]: tuple(each.get("without", ())) for each in used}


@cache
def served_names() -> tuple[str, ...]:
    """Return the names of the served protocols, in the order in which they are offered.

    Raises msgspec.ValidationError, with what to write, when `served.yaml` is no list of protocols.
    """
    names = msgspec.convert(_read(HERE / "served.yaml"), tuple[str, ...])
    if not names:
        raise msgspec.ValidationError("Name at least one protocol, such as `- legs`")
    for place, name in enumerate(names):
        if name not in available():
            known = ", ".join(available())
            raise msgspec.ValidationError(f"There is no protocol “{name}”. There is: {known}")
        if name in names[:place]:
            raise msgspec.ValidationError(f"“{name}” stands twice")
    return names


@cache
def served() -> tuple[Protocol, ...]:
    """Return the served protocols, in the order in which they are offered."""
    return tuple(load(name) for name in served_names())


def current() -> Protocol:
    """Return the protocol that is served first: it is meant where an address names none."""
    return served()[0]


def named(name: str) -> Protocol | None:
    """Return the protocol of this name, also one that is not served; None when there is none."""
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
    words = _read(path)
    for common in _shared_files(language):
        words = parts.words(words, common, shared(name))
    translated = translation.from_data(words)
    if signatures is None:
        return translated
    signed = msgspec.convert(_read(signatures), translation.Signatures)
    return msgspec.structs.replace(translated, approval=signed.approval, safety=signed.safety)


@cache
def stored(name: str) -> Stored | None:
    """Return what completes the protocol's old documents; None when no document is that old."""
    path = HERE / name / "uses-stored.yaml"
    return msgspec.convert(_read(path), Stored) if path.is_file() else None


def stories(name: str) -> Any:
    """Return the data of the protocol's invented people."""
    return _read(HERE / name / "stories.yaml")


def _shared() -> dict[str, Any]:
    """Return all shared parts by name."""
    found: dict[str, Any] = {}
    for file in (*_shared_files("questionnaire"), *_shared_files("rules")):
        more = parts.parts_of(file)
        if twice := sorted(found.keys() & more.keys()):
            raise msgspec.ValidationError(f"Two shared parts have the name “{twice[0]}”")
        found |= more
    return found


def _shared_files(file: str) -> list[Any]:
    return [_read(path) for path in sorted((HERE / "shared").glob(f"*/{file}.yaml"))]


class _Loader(yaml.CSafeLoader):
    """A loader that refuses a key written twice in a mapping. YAML would drop the first one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.MarkedYAMLError(problem=f"“{key}” stands twice", problem_mark=mark)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_Loader)  # noqa: S506  (made from the safe loader)
