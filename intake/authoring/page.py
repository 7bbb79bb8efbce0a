"""Write a protocol in words, as one HTML page for reading and printing."""

from __future__ import annotations

from itertools import groupby

from django.template.loader import render_to_string

from intake.authoring.facts import Thing, things
from intake.authoring.golden import Row
from intake.domain.definition import FLAG, Protocol


def page(protocol: Protocol, cases: list[Row]) -> str:
    """Return the HTML page with all questions, levels, computed values, rules and golden cases."""
    kinds = {kind: list(found) for kind, found in groupby(things(protocol), _kind)}
    ranks = {level.code: level.rank for level in protocol.rules.levels} | {FLAG: -1}
    rules = sorted(kinds.pop("Rule", []), key=lambda rule: -ranks[rule.facts["level"].value])
    return render_to_string(
        "intake/authoring/words.html",
        {
            "protocol": protocol,
            "head": kinds.pop("Protocol")[0],
            "questions": kinds.pop("Section", []),
            "others": kinds,
            "rules": rules,
            "cases": cases,
        },
    )


def _kind(thing: Thing) -> str:
    return "Section" if thing.kind == "Question" else thing.kind
