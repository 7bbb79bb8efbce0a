"""Write and sign letters about a submission, and compose their first draft."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import audit
from intake.desk.findings import Course
from intake.desk.submission_page import SubmissionPage
from intake.domain.computed import questions_behind
from intake.errors import Conflict
from intake.models.clinical_letters import ClinicalLetter
from intake.models.submissions import Submission
from intake.wording.people import person_words

LONGEST = 20_000  # characters of one text
DOUBLE_CLICK = timedelta(minutes=1)


def write(
    *,
    submission: Submission,
    kind: str,
    to: str,
    text: str,
    sign: bool,
    by: User,
    request_id: str,
    replaces: ClinicalLetter | None = None,
) -> ClinicalLetter:
    """Store a version of a letter, as a draft or signed. Returns the stored row.

    The same version posted twice is stored once. Raises Conflict when `replaces` is signed, or has
    been changed meanwhile.
    """
    content = {"to": to, "text": text}
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).only("pk").get(pk=submission.pk)
        newer = replaces and ClinicalLetter.objects.filter(replaces=replaces).first()
        if newer is not None:
            if (newer.content, newer.signed, newer.by_id) == (content, sign, by.pk):
                return newer
            raise Conflict(_("This letter was changed meanwhile. Open it below and compare."))
        if replaces is not None and replaces.signed:
            raise Conflict(_("This letter is signed and stays as it is. Begin a new one."))
        recent = row.clinical_letters.filter(by=by, at__gt=timezone.now() - DOUBLE_CLICK, kind=kind)
        for known in recent.filter(replaces=replaces):
            if (known.content, known.signed) == (content, sign):
                return known
        letter = ClinicalLetter(
            submission=row,
            kind=kind,
            content=content,
            signed=sign,
            replaces=replaces,
            by=by,
            at=timezone.now(),
        )
        letter.save(force_insert=True)
        audit.record(
            actor=audit.staff(by),
            action="state" if sign else "create",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "letter", "ids": [str(letter.pk)], "to": kind},
        )
    return letter


def born_words(submission: Submission) -> str:
    """Return the birth date in words: 'born 27 Mar 1982'; '' if it is not known."""
    born = submission.person.get("birth_date")
    if not born:
        return ""
    return _("born %(day)s") % {"day": date_format(date.fromisoformat(born), "j M Y")}


def letters_of(submission: Submission) -> list[ClinicalLetter]:
    """Return the newest version of each letter of a submission, the newest letter first."""
    rows = submission.clinical_letters.select_related("by").filter(replaced_by=None)
    return list(rows.order_by("-at", "-id"))


def newest(letter: ClinicalLetter) -> ClinicalLetter:
    """Return the newest version of the letter of which `letter` is a version."""
    rows = ClinicalLetter.objects.select_related("by")
    while (newer := rows.filter(replaces=letter).first()) is not None:
        letter = newer
    return letter


def draft(page: SubmissionPage, kind: str, *, courses: list[Course], visits: list[Any]) -> str:
    """Return the first text of a letter, from what the patient reported and the clinic decided.

    A letter to another doctor leaves out the patient's own words, private answers such as mood and
    pregnancy, and what rests on them. It keeps the answers of the first page (`uses.glance`), such
    as medicines. The clinician adds what the reader needs to know.
    """
    private = kind == ClinicalLetter.Kind.CHART
    return "\n\n".join(filter(None, _parts(page, private, courses, visits))) + "\n"


def _parts(
    page: SubmissionPage, private: bool, courses: list[Course], visits: list[Any]
) -> Iterator[str]:
    submission = page.submission
    day = date_format(timezone.localtime(submission.submitted_at), "j M Y")
    who = ", ".join(filter(None, [page.name, born_words(submission)]))
    yield _("%(who)s: questionnaire of %(day)s, reported by the patient, not examined.") % {
        "who": f"{who} ({page.about})" if page.about else who,
        "day": day,
    }
    yield _line(_("Complaint"), page.complaint)
    if private:
        yield _line(_("In the patient’s words"), "".join(piece for piece, _scope in page.own_words))
    yield _listed(
        _("What the rules found"),
        [
            f"{each.urgency.label}: {each.rule.name}" if each.urgency else each.rule.name
            for each in page.reasons
            if private or not _rests_on_private(page, each.rule.id)
        ],
    )
    if private:
        yield _listed(_("Values"), [f"{label}: {text}" for label, text in page.computed])
    yield _listed(
        _("Reported"),
        [f"{row.label} {', '.join(row.values)}" for row in page.glance if row.answered],
    )
    yield _listed(
        _("Found at the examination"),
        [f"{each.name}: {each.newest.words} ({each.newest.on})" for each in courses],
    )
    if page.decisions:
        decision = page.decisions[0]
        yield _line(
            _("Our decision"),
            _("%(outcome)s, %(urgency)s. %(by)s, %(day)s")
            % {
                "outcome": decision.get_outcome_display(),
                "urgency": decision.get_urgency_display(),
                "by": person_words(decision.by),
                "day": date_format(timezone.localtime(decision.at), "j M Y"),
            },
        )
    yield _listed(
        _("Visits"),
        [
            f"{date_format(timezone.localtime(visit.starts), 'D j M Y, H:i')}: {visit.visit_type}"
            for visit in visits
        ],
    )


def _rests_on_private(page: SubmissionPage, rule: str) -> bool:
    """Whether a rule is about thoughts of suicide, or reads a private answer not on page 1."""
    protocol = page.protocol
    behind = questions_behind(protocol, protocol.rule(rule).when).difference(page.uses.glance)
    return rule in protocol.crisis_rules or not protocol.sensitive.isdisjoint(behind)


def _line(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _listed(label: str, rows: list[str]) -> str:
    return "\n".join([f"{label}:", *(f"- {row}" for row in rows)]) if rows else ""
