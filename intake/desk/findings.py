"""Record what a clinician found, and present the findings of a submission."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from intake.documents import protocol_of
from intake.domain.findings import Scale
from intake.errors import Conflict
from intake.models.findings import Finding
from intake.models.submissions import Submission
from intake.protocols import scales

LEGS: dict[str, str | Promise] = {"L": gettext_lazy("left leg"), "R": gettext_lazy("right leg")}
DOUBLE_CLICK = timedelta(minutes=1)
WIDTH, HEIGHT = 120, 28  # of the small line, in pixels


@dataclass(frozen=True, kw_only=True)
class FindingInput:
    """What a clinician found. See `intake.models.findings.Finding` for the values."""

    scale: str
    on: date
    leg: str = ""
    value: dict[str, Any]
    note: str = ""

    def content(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "leg": self.leg,
            "on": self.on.isoformat(),
            "value": self.value,
            "note": self.note,
        }


@dataclass(frozen=True)
class Found:
    """A stored finding in words."""

    row: Finding
    scale: Scale

    @property
    def words(self) -> str:
        return self.scale.words(self.row.content["value"])

    @property
    def on(self) -> date:
        """The day of the examination."""
        return date.fromisoformat(self.row.content["on"])

    @property
    def note(self) -> str:
        return str(self.row.content["note"])


@dataclass(frozen=True)
class Course:
    """The findings of one scale and leg, oldest first."""

    scale: Scale
    leg: str
    found: list[Found]

    @property
    def newest(self) -> Found:
        return self.found[-1]

    @property
    def name(self) -> str:
        """The name of the scale, with the leg: 'ABI, left leg'."""
        return f"{self.scale.name}, {LEGS[self.leg]}" if self.leg else self.scale.name

    @cached_property
    def points(self) -> str:
        """The points of a small line through the numbers, or '' for fewer than two numbers.

        The line spans the whole scale from bottom to top, and the time from first to last.
        """
        numbers = [(each.on, self.scale.number(each.row.content["value"])) for each in self.found]
        known = [(on, float(number)) for on, number in numbers if number is not None]
        if len(known) < 2:
            return ""
        part, first, last = self.scale.parts[0], known[0][0], known[-1][0]
        days = (last - first).days or 1
        return " ".join(
            f"{2 + (WIDTH - 4) * (on - first).days / days:.0f},"
            f"{HEIGHT - 2 - (HEIGHT - 4) * (number - part.low) / (part.high - part.low):.1f}"
            for on, number in known
        )


def record(
    *,
    submission: Submission,
    given: FindingInput,
    by: User,
    request_id: str,
    replaces: Finding | None = None,
) -> Finding:
    """Store a finding, or the correction of an earlier one. Returns the stored row.

    The same finding entered twice within a minute is stored once. Raises Conflict when a colleague
    has corrected `replaces` already.
    """
    now = timezone.now()
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).only("pk").get(pk=submission.pk)
        recent = row.findings.filter(by=by, at__gt=now - DOUBLE_CLICK, replaces=replaces)
        for known in recent:
            if known.content == given.content():
                return known
        if replaces is not None and Finding.objects.filter(replaces=replaces).exists():
            raise Conflict(_("A colleague has corrected this finding already. Read it below."))
        finding = Finding(submission=row, content=given.content(), replaces=replaces, by=by, at=now)
        finding.save(force_insert=True)
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "finding"},
        )
    return finding


def courses_of(submission: Submission, findings: Iterable[Finding] | None = None) -> list[Course]:
    """Return the findings that stand, by scale and leg.

    A finding that was corrected or taken back does not stand. One query, or none with the
    submission's `findings`, oldest first.
    """
    rows = list(submission.findings.select_related("by") if findings is None else findings)
    replaced = {row.replaces_id for row in rows}
    standing = [row for row in rows if row.pk not in replaced and row.content["value"]]
    found = [Found(row, scales()[row.content["scale"]]) for row in standing]
    groups: dict[tuple[str, str], list[Found]] = {}
    for each in sorted(found, key=lambda each: (each.on, each.row.at)):
        groups.setdefault((each.scale.id, each.row.content["leg"]), []).append(each)
    order = list(scales())
    keys = sorted(groups, key=lambda key: (order.index(key[0]), key[1]))
    return [Course(scales()[scale], leg, groups[scale, leg]) for scale, leg in keys]


def offered_for(submission: Submission) -> tuple[list[Scale], list[Scale]]:
    """Return the scales that the submission's protocol offers first, and the other scales."""
    allowed = [scale for scale in scales().values() if is_licensed(scale)]
    first = protocol_of(submission.protocol_id).uses.findings
    return _in_order(allowed, first), [scale for scale in allowed if scale.id not in first]


def is_licensed(scale: Scale) -> bool:
    """Whether this clinic may record the scale."""
    return not scale.licence or bool(getattr(settings, scale.licence))


def _in_order(allowed: list[Scale], first: Iterable[str]) -> list[Scale]:
    by_id = {scale.id: scale for scale in allowed}
    return [by_id[id] for id in first if id in by_id]
