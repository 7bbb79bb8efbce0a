"""Describe in words the differences between two versions of a protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from intake.authoring.facts import Fact, Thing, things
from intake.domain.definition import Protocol, from_document
from intake.domain.levels import RANKS


def differences(old: Protocol, new: Protocol) -> list[str]:
    """Return a paragraph for each part that differs; empty if both versions have the same content.

    Signatures are not compared, because a signature is valid for one version only. The order of
    mappings such as the concepts is not compared, because a stored document changes this order.
    """
    old, new = (from_document(each.document(), each.stored) for each in (old, new))
    before = {(thing.kind, thing.id): thing for thing in things(old)}
    after = {(thing.kind, thing.id): thing for thing in things(new)}
    found = []
    for key, thing in after.items():
        if key not in before:
            found.append(_whole("New", thing))
        elif lines := list(_lines(before[key], thing)):
            found.append("\n".join([f"{_name(thing)}:", *lines]))
    found += [_whole("Gone", thing) for key, thing in before.items() if key not in after]
    for kind in dict.fromkeys(kind for kind, _ in after):
        moved = _moved([k for k in before if k[0] == kind], [k for k in after if k[0] == kind])
        found += [f"{_name(after[key])} now comes {place}." for key, place in moved]
    if not found and old.content_hash != new.content_hash:
        found.append("The files say the same in another way, so the content hash differs.")
    return found


def _whole(word: str, thing: Thing) -> str:
    lines = [f"  {fact.label}: {fact.words}" for fact in thing.facts.values()]
    return "\n".join([f"{word}: {_name(thing)}", *lines])


def _name(thing: Thing) -> str:
    title = f" “{thing.title}”" if thing.title else ""
    return f"{thing.kind} {thing.id}".strip() + title


def _lines(old: Thing, new: Thing) -> Iterator[str]:
    for name, fact in new.facts.items():
        before = old.facts.get(name)
        if before is None:
            yield f"  {fact.label} is new: {fact.words}"
        elif before.value != fact.value:
            yield from (f"  {fact.label}{_raised(name, before, fact)}",)
            yield f"    was: {before.words}"
            yield f"    now: {fact.words}"
    for name, fact in old.facts.items():
        if name not in new.facts:
            yield f"  {fact.label} is gone: {fact.words}"
    kept = [name for name in old.facts if name in new.facts]
    if kept != (now := [name for name in new.facts if name in old.facts]):
        yield f"  The order changed, it is now: {', '.join(name for name in now if ' ' in name)}"


def _raised(name: str, before: Fact, after: Fact) -> str:
    """Return " (raised)" or " (LOWERED)" if the urgency of a rule changed, else ''."""
    if name != "level" or not {before.value, after.value} <= RANKS.keys():
        return ""
    return " (raised)" if RANKS[after.value] > RANKS[before.value] else " (LOWERED)"


def _moved(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each moved part that both versions have, and where it now stands ("after …")."""
    old, new = [key for key in before if key in after], [key for key in after if key in before]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for change, _, _, first, last in matcher.get_opcodes():
        if change in ("insert", "replace"):
            for place in range(first, last):
                yield new[place], f"after {new[place - 1][1]}" if place else "first"
