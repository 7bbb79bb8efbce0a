"""A corpus of the protocol `legs`: 20,000 answer sets, each with its assessment on one past day.

This command assesses all answer sets again and shows each row whose result differs:

    .venv/bin/python -m tests.intake.domain.frozen

The tests assess every tenth row. When the form in which protocols are written changes, the corpus
shows whether a result changes: the corpus is older than computed values that are written as data.
Write the corpus again (`--freeze`) only with a protocol whose results a clinician has read.
"""

import json
import lzma
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from intake.domain.answers import from_json, to_json
from intake.domain.conditions import holds
from intake.domain.definition import Protocol, Question, Rule, Value
from intake.domain.levels import RANKS
from intake.domain.route import visible
from intake.domain.triage import assess
from intake.protocols import HERE, from_folder

ROWS: Final = 20_000
CORPUS: Final = Path(__file__).with_name("frozen_legs.jsonl.xz")
TEXTS: Final = (
    "My legs creep and itch at night.",
    "no chest pain",
    "I can\u2019t\nbreathe at night",
    "Mi pie está negro",
    "Me duele el pecho",
    "aspirin 81 mg",
    "My foot turned white and ice cold",
    "I want to die",
)
ASKED_AGAIN: Final = "reason_again"
"""This question is newer than the corpus: an old complaint without a description raises nothing."""
NOT_SCORED: Final = ("lr7_total", "lr7_nights_gt_days"), {"F07", "F08"}
"""Values and flags behind questions that a patient who is not sure of the urge is no longer asked,
unless another feature fits."""
REPLACED_BY: Final = {"U01": "S11", "S02": "S01", "N08": "U13", "N14": "N06"}
"""Old rule → the rule of the same level or higher that now fires in its place."""
OF_RULE: Final = tuple("level interrupt name reason advice promise closed source learn".split())
REWRITTEN: Final = ("reason", "advice", "closed", "source")
"""The texts of rules that were rewritten on purpose since the corpus was frozen."""
CHANGED: Final = {
    "F11": "reads burning feet and pain on walking where they are asked, not among the mimics",
    "S13": "reads one question about every medicine that was stopped",
    "U09": "an unvalidated score sets no urgency alone",
    "U14": "reads the PHQ-2 of adults who answer themselves",
    "N09": "reads the PHQ-2 of adults who answer themselves",
}
"""The rules whose conditions were changed since the corpus was frozen, each with the reason. The
golden tables show their cases."""

IN_PART_2: Final = ("donate_blood", "plant_diet")
"""The options of the former question `blood_loss` that the question `habits` has now."""

Line = dict[str, Any]


def read(step: int = 1, *, now: bool = True) -> tuple[Line, list[Line]]:
    """Return the rules' texts as they were when the corpus was frozen, and every `step`-th row.

    With `now`, an answer to a question that was split since then stands where it is asked today.
    """
    with lzma.open(CORPUS, "rt", encoding="utf-8") as file:
        lines = file.readlines()
    rows = [json.loads(line) for line in lines[1::step]]
    if now:
        rows = [row | {"answers": _as_asked_now(row["answers"])} for row in rows]
    return json.loads(lines[0]), rows


def _as_asked_now(answers: Line) -> Line:
    """Return the answers with the parts of `blood_loss` where they are asked today."""
    now = {id: value for id, value in answers.items() if id != "blood_loss"}
    if "blood_loss" in answers:
        now["blood_in_stool"] = "yes" if "black_stool" in answers["blood_loss"] else "no"
        if lost := [code for code in answers["blood_loss"] if code in IN_PART_2]:
            now["habits"] = [*lost, *answers.get("habits", ())]
    return now


def assessed(protocol: Protocol, row: Line) -> Line:
    """Return the row with the result of the current protocol for its answers."""
    found = assess(protocol, from_json(protocol, row["answers"]), **row["meta"])
    known = row.get("computed", found.computed)
    return row | {
        "urgency": found.urgency,
        "fired": [fired.id for fired in found.fired],
        "flags": [flag.id for flag in found.flags],
        "computed": {name: found.computed[name] for name in sorted(known)},
        "stops": [found.interrupt, found.blocked],
    }


def as_frozen(protocol: Protocol) -> Protocol:
    """Return the protocol with only the rules of the corpus, and without words of danger.

    Newer rules fire for more answers than the corpus says. Without words of danger, a pattern's hit
    keeps its level.
    """
    known, _rows = read(ROWS)
    kept = tuple(rule for rule in protocol.rules.rules if rule.id in known)
    rules = msgspec.structs.replace(protocol.rules, rules=kept)
    return msgspec.structs.replace(protocol, rules=rules, danger=None)


def asked_again(protocol: Protocol, row: Line) -> bool:
    """Whether the patient would now be asked again about a complaint without a description."""
    return ASKED_AGAIN in visible(protocol, from_json(protocol, row["answers"]))


def unscored(protocol: Protocol, row: Line) -> bool:
    """Whether the patient would now be spared the questions behind NOT_SCORED."""
    asked = visible(protocol, from_json(protocol, row["answers"]))
    return row["answers"].get("rls_urge") == "unsure" and "lr7_days" not in asked


def words(protocol: Protocol) -> Line:
    """Return the level and the words of every rule: what an assessment tells people."""
    return {
        rule.id: json.loads(json.dumps([_filled(protocol, rule, name) for name in OF_RULE]))
        for rule in protocol.rules.rules
    }


def reworded(protocol: Protocol) -> Iterator[str]:
    """Yield each rule of the corpus whose texts have changed, with the old and the new texts.

    The texts in REWRITTEN are left out.
    """
    frozen, now = read(ROWS)[0], words(protocol)
    for id, then in frozen.items():
        texts = zip(OF_RULE, then, now.get(id, [None] * len(then)), strict=True)
        changed = [each for each in texts if each[1] != each[2] and each[0] not in REWRITTEN]
        if id not in CHANGED and changed:
            yield f"{id}: {changed}"


def _filled(protocol: Protocol, rule: Rule, name: str) -> Any:
    """Return a text of a rule as patients read it, with the period of its level filled in."""
    text = getattr(rule, name)
    if name != "promise" or not text or rule.level not in RANKS:
        return text
    return text.replace(
        "{within}", f"{protocol.level(rule.level).contact_within.open_hours} clinic hours"
    )


def differences(protocol: Protocol, rows: Iterable[Line]) -> Iterator[str]:
    """Yield each row that is judged otherwise than before, with its answers and the differences.

    A higher urgency is allowed, because rules now read each fact in all of its places. A lower
    urgency is allowed only if the complaint is asked again. A row is left out if a rule of CHANGED
    fires, then or now.
    """
    old = as_frozen(protocol)
    fallbacks = {rule.id for rule in protocol.rules.rules if rule.fallback}
    for number, row in enumerate(rows):
        now = json.loads(json.dumps(assessed(old, row)))
        for each in (row, now):
            each["flags"] = [id for id in each["flags"] if id not in CHANGED]
        if not CHANGED.keys().isdisjoint([*row["fired"], *now["fired"]]):
            continue
        kept, lost = {**now}, {*row["fired"]} - {*now["fired"]} - fallbacks
        if unscored(protocol, row):
            values, flags = NOT_SCORED
            kept["computed"] = now["computed"] | {v: row["computed"][v] for v in values}
            kept["flags"] = [id for id in row["flags"] if id in {*now["flags"], *flags}]
        if asked_again(protocol, row):
            kept |= {"urgency": row["urgency"], "fired": row["fired"]}
        elif all(REPLACED_BY.get(id) in now["fired"] for id in lost):
            kept["fired"] = row["fired"]
            if RANKS[now["urgency"]] >= RANKS.get(row["urgency"], 9):
                kept["urgency"] = row["urgency"]
        if kept != row:
            changed = {key: [row[key], now[key]] for key in row if row[key] != now[key]}
            yield f"row {number}: {json.dumps(row['answers'])} {row['meta']}\n  {changed}"


# Writing the corpus


def freeze(protocol: Protocol) -> None:
    """Write the corpus again, with the assessments of the current protocol."""
    rng = Random(12)
    with lzma.open(CORPUS, "wb", preset=9) as file:
        file.write(json.dumps(words(protocol)).encode() + b"\n")
        for number in range(ROWS):
            meta = {
                "safety_retracted": rng.random() < 0.03,
                "si_screen": rng.random() > 0.1,
            }
            # every fourth set has answers to any questions, whether they were asked or not
            answers = _answers(rng, protocol, walked=number % 4 != 0)
            row = {"answers": to_json(answers), "meta": meta}
            line = json.dumps(assessed(protocol, row), separators=(",", ":"))
            file.write(line.encode() + b"\n")


def _answers(rng: Random, protocol: Protocol, *, walked: bool) -> dict[str, Value]:
    """Return random answers.

    With `walked`, only shown questions are answered, and emergencies are rare. Without `walked`,
    any question may be answered.
    """
    answers: dict[str, Value] = {}
    calm = rng.random() < 0.9
    for question in protocol.questions:
        hidden = question.show_if is not None and not holds(question.show_if, answers)
        if walked and (hidden or (not question.required and rng.random() < 0.3)):
            continue
        if not walked and rng.random() < 0.5:
            continue
        answers[question.id] = _answer(rng, question, calm=calm and walked)
    return answers


def _answer(rng: Random, question: Question, *, calm: bool) -> Value:
    match question.type:
        case "single":
            first = calm and (question.interrupts or rng.random() < 0.3)
            return (question.options[0] if first else rng.choice(question.options)).code
        case "multi":
            chance = (
                (0 if question.interrupts else 0.03)
                if calm and question.id != "walk_pattern"
                else 0.25
            )
            shared = [o.code for o in question.options if o.code not in question.exclusive]
            ticked = tuple(code for code in shared if rng.random() < chance)
            return ticked or question.exclusive[:1] or (rng.choice(shared),)
        case "integer":
            return rng.randint(int(question.min or 0), int(question.max or 0))
        case "decimal":
            low, high = float(question.min or 0), float(question.max or 0)
            top = low + (high - low) * rng.choice((0.02, 0.1, 1))
            return Decimal(str(round(rng.uniform(low, top), 1)))
        case "boolean":
            return True
        case _:
            return rng.choice(TEXTS if rng.random() < 0.1 else TEXTS[:1])


def main(arguments: list[str]) -> int:
    protocol = from_folder(HERE / "legs")  # needs no settings
    if arguments == ["--freeze"]:
        freeze(protocol)
    _words, rows = read()
    told = [*reworded(protocol), *differences(protocol, rows)]
    sys.stdout.write("\n".join(told) or f"{len(rows)} answer sets are judged as they were.")
    sys.stdout.write("\n")
    return bool(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
