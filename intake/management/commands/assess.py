"""`manage.py assess FILE|-`: read sets of answers, one per line, and write their assessments."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from intake import protocols
from intake.domain.answers import clean_json_answer
from intake.domain.definition import Protocol, Value
from intake.domain.route import visible
from intake.domain.triage import assess
from intake.domain.wrong_answers import InvalidAnswer

META = {"safety_retracted": False, "si_screen": True}
"""The keys that `meta` may have, with their defaults."""


class Command(BaseCommand):
    help = (
        'Assess answers without storing anything. Reads JSON lines {"answers": {...}, "meta":'
        ' {"safety_retracted": false, "si_screen": true}} and writes one JSON line each.'
    )
    # no checks, because the command stores and serves nothing and must work with a faulty protocol
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a file of JSON lines, or - for standard input")
        parser.add_argument(
            "--protocol", metavar="NAME", help="the protocol that judges; else the first served one"
        )

    def handle(self, *args: Any, file: str, protocol: str | None = None, **options: Any) -> None:
        try:
            judge = protocols.load(protocol) if protocol else protocols.current()
        except protocols.UNREADABLE as error:
            raise CommandError(str(error)) from error
        if file == "-":
            broken = self._write(judge, sys.stdin.buffer)
        else:
            try:
                with open(file, "rb") as lines:
                    broken = self._write(judge, lines)
            except OSError as error:
                raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        if broken:
            raise CommandError(f"{broken} line(s) could not be read; see their “error”.")

    def _write(self, judge: Protocol, lines: Iterable[bytes]) -> int:
        broken = 0
        for result in assessed(judge, lines):
            broken += "error" in result
            self.stdout.write(json.dumps(result))
        return broken


def assessed(protocol: Protocol, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield one result per line: the assessment, or {"error": …} for a line that cannot be read.

    Skips empty lines.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            answers, meta = _parsed(line)
        except (ValueError, RecursionError) as error:
            yield {"error": f"Line {number}: {error or 'too deeply nested'}"}
        else:
            yield _assessed(protocol, answers, meta)


def _parsed(line: bytes) -> tuple[dict[str, Any], dict[str, bool]]:
    # parse_float keeps decimals as they are written: 75.1 must not become 75.099999
    data = json.loads(line, parse_float=Decimal)
    if not isinstance(data, dict) or not isinstance(data.get("answers"), dict):
        raise ValueError('expected {"answers": {question id: answer}, "meta": {…}}')
    meta = data.get("meta")
    if meta is None:
        meta = {}
    if not isinstance(meta, dict):
        raise ValueError("meta must be an object")
    if unknown := meta.keys() - META.keys():
        raise ValueError(f"unknown key in meta: {', '.join(sorted(unknown))}")
    for key, value in meta.items():
        if not isinstance(value, bool):
            raise ValueError(f"{key} in meta must be true or false")
    return data["answers"], META | meta


def _assessed(protocol: Protocol, given: dict[str, Any], meta: dict[str, bool]) -> dict[str, Any]:
    answers: dict[str, Value] = {}
    invalid: dict[str, str] = {}
    known = {question.id for question in protocol.questions}
    for id in given.keys() - known:
        invalid[id] = "There is no such question."
    for question in protocol.questions:
        value: Value | None
        try:
            value = clean_json_answer(question, given.get(question.id))
        except InvalidAnswer as error:
            invalid[question.id] = error.message
            value = error.kept
        if value is not None:
            answers[question.id] = value
    # errors in answers to hidden questions are left out of the result
    hidden = known - set(visible(protocol, answers, si_screen=meta["si_screen"]))
    assessment = assess(
        protocol,
        answers,
        safety_retracted=meta["safety_retracted"],
        si_screen=meta["si_screen"],
    )
    return {
        "urgency": assessment.urgency,
        "rules": sorted(rule.id for rule in assessment.fired),
        "flags": sorted(flag.id for flag in assessment.flags),
        "computed": assessment.computed,
        "interrupt": assessment.interrupt,
        "invalid": {id: text for id, text in sorted(invalid.items()) if id not in hidden},
    }
