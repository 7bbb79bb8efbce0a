"""Find and load the protocols. Each protocol is a folder here."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from intake.domain import translation
from intake.domain.definition import Protocol, from_data
from intake.domain.translation import Translation
from intake.domain.uses import Stored

UNREADABLE: Final = (msgspec.ValidationError, yaml.YAMLError)
"""What is raised when a file of a protocol cannot be read; the error names the place."""

HERE: Final = Path(__file__).parent
CURRENT: Final = "legs"


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
    folder = HERE / name
    return from_data(
        name,
        questionnaire=_read(folder / "questionnaire.yaml"),
        rules=_read(folder / "rules.yaml"),
        approval=_read(folder / "approval.yaml"),
    )


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
    return translation.from_data(_read(path)) if path.is_file() else None


@cache
def stored(name: str) -> Stored | None:
    """Return what completes the protocol's old documents; None when it has none so old."""
    path = HERE / name / "uses-stored.yaml"
    return msgspec.convert(_read(path), Stored) if path.is_file() else None


def stories(name: str) -> Any:
    """Return the data of the protocol's invented people."""
    return _read(HERE / name / "stories.yaml")


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
