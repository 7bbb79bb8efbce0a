"""Read the YAML files of protocols. Errors say in one sentence what is wrong, and where.

Mappings and lists remember the file and the lines from which they were read. So even a fault that
is found later in the data can be reported with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import yaml

ROOT: Final = Path(__file__).parents[2]
T = TypeVar("T")


class Place(NamedTuple):
    """A line of a file. `line` is None if the whole file is meant."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}, line {self.line}"


class Unreadable(msgspec.ValidationError):
    """A file cannot be used. The message is one sentence with file and line."""

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place, self.sentence = place, sentence


class Mapping(dict[Any, Any]):
    """A dict that remembers its place in a file, and the place of each key."""

    place: Place
    places: dict[Any, Place]


def keeping_places(data: Any, old: Any) -> Any:
    """Return `data` with the remembered places of `old`, from which `data` was made."""
    if not hasattr(old, "places"):
        return data
    kept = Mapping(data) if isinstance(data, dict) else Sequence(data)
    kept.place, kept.places = old.place, old.places
    return kept


class Sequence(list[Any]):
    """A list that remembers its place in a file, and the place of each item."""

    place: Place
    places: dict[int, Place]


def read(path: Path) -> Any:
    """Return the data of a YAML file. Raises Unreadable."""
    shown = shown_path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Unreadable(Place(shown), "the file is missing.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, ValueError) else error.strerror
        raise Unreadable(Place(shown), f"the file cannot be read: {reason}.") from None
    return parse(text, shown)


def read_keys(path: Path, shape: type[msgspec.Struct] | None = None) -> Any:
    """Return the data of a YAML file with keys, whose outermost parts have this shape.

    Raises Unreadable.
    """
    data = read(path)
    if not isinstance(data, Mapping):
        raise Unreadable(Place(shown_path(path)), "the file takes keys with values.")
    if shape is not None:
        decode(data, lambda whole: msgspec.convert(whole, shape))
    return data


def parse(text: str, file: str, first_line: int = 1) -> Any:
    """Return the data of YAML text that stands in `file` from `first_line` on. Raises Unreadable.

    The program and the tests read all YAML with this function.
    """
    loader = _Loader(text)
    loader.file, loader.first_line = file, first_line
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise _unreadable(error, text, file, first_line) from None
    except (RecursionError, ValueError) as error:  # for example for the date 2026-13-45
        raise Unreadable(Place(file), f"a value cannot be read: {error}.") from None
    finally:
        loader.dispose()


def decode(data: Any, make: Callable[[Any], T]) -> T:
    """Return `make(data)`. Raises Unreadable, with file and line, if the data are invalid."""
    try:
        return make(data)
    except Unreadable:
        raise
    except msgspec.ValidationError as error:
        place, sentence = _told(data, make, error)
        raise Unreadable(place, sentence) from None


def place_in(data: Any, steps: list[Any], *, where: Place | None = None) -> Place | None:
    """Return the place of the part to which `steps` (keys and numbers) lead.

    If the part does not exist, return the place of the last part on the way that exists. In a list,
    a name means the item with this id or code.
    """
    for step in steps:
        if isinstance(data, list) and isinstance(step, str):
            found = [n for n, item in enumerate(data) if _named(item) == step]
            step = found[0] if found else None
        try:
            inner = data[step]
        except (KeyError, IndexError, TypeError):
            break
        where = getattr(data, "places", {}).get(step) or where
        data = inner
    return where or getattr(data, "place", None)


def shown_path(path: Path) -> str:
    """Return the path as messages show it: relative to the program's folder, if it is inside."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _named(item: Any) -> Any:
    return (item.get("id") or item.get("code")) if isinstance(item, dict) else None


# --- reading YAML --------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader):
    """A safe loader that remembers lines, and refuses a key that is written twice.

    An ordinary YAML loader would silently keep only the second value of the key.
    """

    file: str
    first_line: int

    def place(self, node: yaml.Node) -> Place:
        return Place(self.file, node.start_mark.line + self.first_line)

    def mapping(self, node: yaml.MappingNode) -> Iterator[Mapping]:
        data = Mapping()
        yield data
        places: dict[Any, Place] = {}
        for key, _value in node.value:
            problem = ""
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key has to be one word before a colon"
            elif key.value in places:
                problem = f"“{key.value}” stands twice"
            if problem:
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            places[key.value] = self.place(key)
        data |= self.construct_mapping(node)
        data.place, data.places = self.place(node), places

    def sequence(self, node: yaml.SequenceNode) -> Iterator[Sequence]:
        data = Sequence()
        yield data
        data.extend(self.construct_sequence(node))
        data.place = self.place(node)
        data.places = {number: self.place(item) for number, item in enumerate(node.value)}


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _Loader.sequence)

_SLIPS: Final = (
    (r"character '\\t'|tab", "a tab stands here: indent with spaces"),
    (
        r"mapping values are not allowed",
        "a text with a colon needs quotes; or this line is indented too far;"
        " or a space is missing after - or :",
    ),
    (
        r"expected <block end>|did not find expected '-' indicator",
        "this line is not indented like the lines it belongs to",
    ),
    (
        r"did not find expected key",
        "this line is not indented like the lines it belongs to, or a quote ends too early",
    ),
    (
        r"could not find expected ':'|expected ':'",
        "a key and a colon are expected: is a colon missing, or a space after it?",
    ),
    (
        r"scanning a quoted scalar|unexpected end of stream",
        "a text begins with a quote that never ends",
    ),
    (
        r"did not find expected (',' or|node content)",
        "a bracket or brace is not closed, or a comma is missing",
    ),
    (
        r"cannot start any token|indicator|scanning",
        "a text may not begin with this sign: put the text in quotes",
    ),
    (r"undefined alias|anchor", "a text may not begin with * or &: put the text in quotes"),
)
"""A pattern of the parser's message → the sentence that a person reads instead."""


_OPEN_QUOTE: Final = re.compile(r"""(?:^\s*-|:|[\[{,])\s+(?:'[^']*|"[^"]*)$""", re.MULTILINE)


def _unreadable(error: yaml.YAMLError, text: str, file: str, first_line: int) -> Unreadable:
    said = " ".join(
        str(getattr(error, name, "") or "") for name in ("context", "problem", "reason")
    ).strip()
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line if mark is not None else None
    sentence = next((words for slip, words in _SLIPS if re.search(slip, said)), said or str(error))
    # A text with a missing closing quote goes on to the next quote, often many lines below, where
    # the parser reports the error. So look for the line where the text begins.
    read = text.splitlines()[: line + 1 if line is not None else None]
    quote = next((n for n, each in enumerate(read) if _OPEN_QUOTE.search(each)), None)
    if quote is not None and "stands twice" not in said:
        line, sentence = quote, "a text begins with a quote that never ends"
    return Unreadable(Place(file, line + first_line if line is not None else None), f"{sentence}.")


# --- telling what does not fit -------------------------------------------------------------------

_KINDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "object": "keys with values",
    "array": "a list",
    "date": "a day such as 2026-11-30",
}
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def _told(
    data: Any, make: Callable[[Any], Any], error: msgspec.ValidationError
) -> tuple[Place, str]:
    """Return place and sentence for an error whose message names a path such as `$.rules[2].id`."""
    message, _, path = str(error).rpartition(" - at `")
    if not message:
        message, path = str(error), ""
    steps = _steps(data, make, error, path)
    unknown = re.search(r"unknown field `(\w+)`", message)
    place = place_in(data, steps + ([unknown[1]] if unknown else []))
    return place or Place("the protocol"), _in_plain_words(message, steps)


def _steps(
    data: Any, make: Callable[[Any], Any], error: msgspec.ValidationError, path: str
) -> list[Any]:
    """Return the keys and numbers of a path.

    msgspec writes `[...]` in place of a key of a mapping. To find the key, the mapping is decoded
    again with each of its keys alone.
    """
    steps: list[Any] = []
    for key, number in _STEP.findall(path):
        if number != "...":
            steps.append(key or int(number))
            continue
        found = (
            k for k in _at(data, steps) or () if _fails(_with_only(data, steps, k), make, error)
        )
        culprit = next(found, None)
        if culprit is None:
            break
        data = _with_only(data, steps, culprit)
        steps.append(culprit)
    return steps


def _at(data: Any, steps: list[Any]) -> Any:
    for step in steps:
        data = data[step]
    return data


def _with_only(data: Any, steps: list[Any], key: Any) -> Any:
    """Return a copy of the data in which the mapping at `steps` has only this key."""
    if not steps:
        return {key: data[key]}
    inner = _with_only(data[steps[0]], steps[1:], key)
    if isinstance(data, dict):
        return {**data, steps[0]: inner}
    return [inner if number == steps[0] else item for number, item in enumerate(data)]


def _fails(data: Any, make: Callable[[Any], Any], error: msgspec.ValidationError) -> bool:
    try:
        make(data)
    except msgspec.ValidationError as again:
        return str(again) == str(error)
    return False


def _in_plain_words(message: str, steps: list[Any]) -> str:
    name = next((step for step in reversed(steps) if isinstance(step, str)), "")
    what = f"“{name}” " if name else "this file "
    if found := re.match(r"Object missing required field `(\w+)`", message):
        return f"{what}has no “{found[1]}”: write it here." if name else f"“{found[1]}” is missing."
    if found := re.match(r"Object contains unknown field `(\w+)`", message):
        return f"there is no key “{found[1]}” here: is it misspelt?"
    if found := re.match(r"Expected `([^`]+)`, got `([^`]+)`", message):
        wanted, got = (
            " or ".join(_KINDS.get(part.strip(), part.strip()) for part in kinds.split("|"))
            for kinds in found.groups()
        )
        hint = ""
        if "str" in found[1] and found[2] in ("bool", "int", "float", "null", "date"):
            hint = " Put the text in quotes: YAML reads yes, no, null and numbers otherwise."
        return f"{what}takes {wanted}, not {got}.{hint}"
    if found := re.match(r"Invalid enum value (.+)", message):
        return f"{what}cannot be {found[1]}."
    return f"{what}is wrong: {message}." if name else f"{message}."
