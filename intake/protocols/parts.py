"""Replace references in a protocol's files by the shared parts to which they refer.

`{shared: em_now}` in a file of a protocol stands for the part of this name in the folder `shared`:
a question, rule, level, computed value, line of the summary, or list. A reference may give the
question another `page` and may leave out the options in `without`. It cannot change anything else
of the part.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from intake.protocols.files import Place, Unreadable, keeping_places

Named = dict[str, Any]


class Shared(msgspec.Struct, forbid_unknown_fields=True):
    """The outermost shape of a file with shared parts."""

    questions: list[Named] = []
    levels: list[Named] = []
    alarm_patterns: list[str] = []
    computed: Named = {}
    summary: list[Named] = []
    rules: list[Named] = []


class Words(msgspec.Struct):
    """The outermost shape of a translation file, of a protocol or of the shared parts."""

    questions: Named = {}
    levels: Named = {}
    rules: Named = {}


_REFERENCE: Final = frozenset({"shared", "page", "without"})
Parts = Mapping[str, Any]


def parts_of(file: Any) -> dict[str, Any]:
    """Return the parts that a shared file holds, by name. Raises Unreadable."""
    lists = (("questions", "id"), ("rules", "id"), ("levels", "code"), ("summary", "label"))
    found: dict[str, Any] = {}
    for kind, key in lists:
        for item in file.get(kind, ()):
            if not isinstance(item.get(key), str):
                raise _fault(item, f"Write “{key}”, the name of this shared part.")
            found[item[key]] = item
    found |= file.get("computed", {})
    if "alarm_patterns" in file:
        found["alarm_patterns"] = file["alarm_patterns"]
    return found


def fill(data: Any, parts: Parts) -> Any:
    """Return the data with every reference replaced by the shared part.

    Raises Unreadable for a reference to an unknown part, and for a reference that changes something
    that it may not change.
    """
    if isinstance(data, dict):
        if "shared" in data:
            return _part(data, parts)
        return keeping_places({key: fill(value, parts) for key, value in data.items()}, data)
    if isinstance(data, list):
        return keeping_places([fill(item, parts) for item in data], data)
    return data


def references(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every reference in the data of a file."""
    if isinstance(data, dict):
        if "shared" in data:
            yield data
        else:
            for value in data.values():
                yield from references(value)
    elif isinstance(data, list):
        for item in data:
            yield from references(item)


def words(translation: Any, shared: Any, used: Mapping[str, tuple[str, ...]]) -> Any:
    """Return a protocol's translation together with the texts of the shared parts that it uses.

    `shared` is the translation of the shared parts. `used` has the shared parts in the protocol:
    name → the options left out. Raises Unreadable if the protocol's own file also translates a
    shared part.
    """
    filled = keeping_places(dict(translation), translation)
    for kind in ("questions", "levels", "rules"):
        own, common = translation.get(kind, {}), shared.get(kind, {})
        taken = {name: common[name] for name in common if name in used}
        if twice := sorted(own.keys() & taken.keys()):
            raise _fault(own, f"The words of “{twice[0]}” are shared: take them out here.")
        taken = {name: _without(part, used[name]) for name, part in taken.items()}
        filled[kind] = keeping_places(own | taken, own)
    return filled


def more_danger(common: Any, own: Any) -> Any:
    """Return the shared words of danger with a protocol's own: phrases, frames and roles are added.

    Raises Unreadable for a frame that both have.
    """
    if twice := sorted(
        {frame["id"] for frame in common["frames"]} & {f["id"] for f in own.get("frames", ())}
    ):
        raise _fault(own, f"The frame “{twice[0]}” is shared: give yours another name.")
    concepts = {name: dict(phrases) for name, phrases in common["concepts"].items()}
    for name, phrases in own.get("concepts", {}).items():
        for language, more in phrases.items():
            known = concepts.setdefault(name, {})
            known[language] = ", ".join(filter(None, (known.get(language), more)))
    roles = {role: list(names) for role, names in common["roles"].items()}
    for role, names in own.get("roles", {}).items():
        roles[role] = [*roles.get(role, ()), *names]
    words = {
        key: ", ".join(filter(None, (common.get(key), own.get(key))))
        for key in ("fillers", "patient", "common")
    }
    frames = [*common["frames"], *own.get("frames", ())]
    lists = {"frames": frames, "falls_short": common.get("falls_short", [])}
    return keeping_places({**words, **lists, "concepts": concepts, "roles": roles}, own)


def with_frames(rules: Any, danger: Any) -> Any:
    """Replace `@frames`, `@all_frames` and `@DE1` in rules by the ids of frames.

    `@frames` stands for the frames that name the rule itself, `@DE1` for the frames that name the
    rule DE1, `@all_frames` for all frames. Malformed rules do not change, because a later check
    refuses them with their place.
    """
    if not isinstance(rules, dict) or not isinstance(rules.get("rules"), list):
        return rules
    every = [frame["id"] for frame in danger["frames"]]
    named: dict[str, list[str]] = {}
    for frame in danger["frames"]:
        named.setdefault(frame["rule"], []).append(frame["id"])
    by_rule = {f"@{rule}": frames for rule, frames in named.items()}

    def fill_rule(rule: Any) -> Any:
        if not isinstance(rule, dict):
            return rule
        lists = {"@frames": named.get(str(rule.get("id")), []), "@all_frames": every}
        return _with_lists(rule, by_rule | lists)

    filled = [fill_rule(rule) for rule in rules["rules"]]
    return keeping_places(rules | {"rules": keeping_places(filled, rules["rules"])}, rules)


def _with_lists(data: Any, lists: Mapping[str, list[str]]) -> Any:
    if isinstance(data, dict):
        return keeping_places({key: _with_lists(v, lists) for key, v in data.items()}, data)
    if isinstance(data, list):
        return keeping_places([_with_lists(item, lists) for item in data], data)
    return lists.get(data, data) if isinstance(data, str) else data


def _part(reference: dict[str, Any], parts: Parts) -> Any:
    name = reference["shared"]
    if name not in parts:
        raise _fault(reference, f"There is no shared “{name}”.")
    if more := sorted(reference.keys() - _REFERENCE):
        raise _fault(reference, f"“{name}” is shared: “{more[0]}” cannot be changed here.")
    part, left_out = parts[name], tuple(reference.get("without", ()))
    options = part.get("options", ()) if isinstance(part, dict) else ()
    if unknown := set(left_out) - {option["code"] for option in options}:
        raise _fault(reference, f"“{name}” has no option “{min(unknown)}” to leave out.")
    if "page" in reference:
        if not isinstance(part, dict) or "page" not in part:
            raise _fault(reference, f"“{name}” has no page.")
        part = keeping_places(part | {"page": reference["page"]}, part)
    return _without(part, left_out)


def _without(part: Any, codes: tuple[str, ...]) -> Any:
    """Return a question, or the translation of a question, without the options in `codes`."""
    if not codes:
        return part
    part = keeping_places(dict(part), part)
    options = part.get("options")
    if isinstance(options, dict):
        part["options"] = {code: label for code, label in options.items() if code not in codes}
    elif options is not None:
        part["options"] = [option for option in options if option["code"] not in codes]
    if "proxy" in part:
        part["proxy"] = _without(part["proxy"], codes)
    return part


def _fault(where: Any, message: str) -> Unreadable:
    return Unreadable(getattr(where, "place", Place("the protocol")), message)
