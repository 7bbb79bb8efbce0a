"""What the staff's pages show and ask: the submission page, the decision form."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, takewhile
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from clinic.models import Event
from intake import documents
from intake.appointments.admin.words import wish_rows
from intake.domain import answers as domain
from intake.domain import workflow
from intake.domain.definition import FLAG, Protocol
from intake.domain.triage import Fired
from intake.draft_content import CONTACT
from intake.letters.sentences import MESSAGES, words
from intake.models.calls import Call
from intake.models.clinic_time import Clinician
from intake.models.submissions import (
    Communication,
    Decision,
    Kind,
    StatusChange,
    Submission,
    Urgency,
)
from intake.questionnaire.walk import WALKS
from intake.wording import advice, reading
from intake.wording.people import person_words


class MessageForm(forms.Form):
    """One of the fixed sentences to a patient."""

    message = forms.ChoiceField(
        label=gettext_lazy("Write to the patient"),
        choices=[("", gettext_lazy("Choose")), *((code, words(code)) for code in MESSAGES)],
    )


class ProgressForm(forms.Form):
    """What the front desk notes by hand: only what the request's `progress` allows."""

    progress = forms.ChoiceField(label=gettext_lazy("Note"))

    def __init__(self, *, data: QueryDict | None = None, progress: str = "") -> None:
        super().__init__(data=data)
        words = {
            "requested": gettext_lazy("The patient wants an appointment again"),
            "called": gettext_lazy("Patient called"),
            "withdrawn": gettext_lazy("No appointment is wanted any more"),
        }
        self.fields["progress"].choices = [
            ("", gettext_lazy("Choose")),
            *(
                (code, words[code])
                for code, action in workflow.BY_HAND.items()
                if not progress or (progress, action) in workflow.REQUEST_MOVES
            ),
        ]

    @property
    def has_choice(self) -> bool:
        return len(self.fields["progress"].choices) > 1


@dataclass(frozen=True)
class SubmissionPage:
    """A submission as staff read it. Opens the sealed parts once, each when it is first used."""

    submission: Submission

    @cached_property
    def protocol(self) -> Protocol:
        return documents.protocol_of(self.submission.protocol_id)

    @property
    def stopped(self) -> bool:
        return self.submission.kind == Kind.STOPPED

    @cached_property
    def answers(self) -> dict[str, Any]:
        return domain.from_json(self.protocol, self.submission.answers)

    @property
    def proxied(self) -> bool:
        return self.answers.get("who") in ("parent_guardian", "caregiver")

    @property
    def about(self) -> str:
        """Age and sex, as far as they were told: '44 years, female'."""
        age = self.answers.get("age_years")
        parts = [] if age is None else [_("%(age)s years") % {"age": age}]
        return ", ".join([*parts, *self._told("sex_at_birth")])

    @property
    def complaint(self) -> str:
        """What it is about, in the patient's choices: 'Restless legs; Both legs; Over a year'."""
        return "; ".join(
            word for name in ("main_reason", "leg_side", "onset") for word in self._told(name)
        )

    @property
    def own_words(self) -> str:
        return " ".join(self._told("reason_text"))

    def _told(self, name: str) -> tuple[str, ...]:
        question = self._questions.get(name)
        return reading.words(question, self.answers.get(name)) if question else ()

    @cached_property
    def contact(self) -> list[tuple[str, list[str]]]:
        return reading.contact_rows(self.protocol, self.submission.person)

    @property
    def name(self) -> str:
        return self.submission.person.get("name") or _("Name not given")

    @property
    def phone(self) -> str:
        return self.submission.person.get("callback_phone", "")

    @cached_property
    def wish(self) -> list[tuple[str, list[str]]]:
        request = getattr(self.submission, "appointment_request", None)
        if request is None:
            return []
        named = any(wish.get("clinician") for wish in request.wishes)
        return wish_rows(request, Clinician.objects.all() if named else ())

    # --- what the rules said -----------------------------------------------------------------
    @property
    def red_flags(self) -> list[Fired]:
        return advice.red_flags(self.submission.result)

    @property
    def other_rules(self) -> list[Fired]:
        red = {fired.id for fired in self.red_flags}
        return [fired for fired in self.submission.result.fired if fired.id not in red]

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Every fired rule with its reason, its source and the answers it used, in words."""
        return [self._explained(fired) for fired in self.submission.result.fired]

    @property
    def flags(self) -> list[dict[str, Any]]:
        return [self._explained(fired) for fired in self.submission.result.flags]

    def _explained(self, fired: Fired) -> dict[str, Any]:
        used = []
        for name, value in fired.inputs.items():
            if value is None or name not in self._questions:
                continue
            question = self._questions[name]
            question = question.for_proxy() if self.proxied else question
            restored = domain.from_json(self.protocol, {name: value})[name]
            used.append((question.text, ", ".join(reading.words(question, restored))))
        level = Urgency.of(fired.level) if fired.level != FLAG else None
        return {"rule": fired, "urgency": level, "used": used, "read": self._read(fired)}

    def _read(self, fired: Fired) -> str:
        """The advice in the patient's language, '' where it was read in English."""
        if self.submission.translation_id is None:
            return ""
        words = documents.wording_read(self.submission.translation_id)
        spoken = words.says_in(fired.level) != "en" and fired.level != FLAG
        return words.protocol.rule(fired.id).advice if spoken else ""

    @property
    def language(self) -> str:
        """The language it was answered in, '' for English."""
        code = self.submission.language
        return "" if code == "en" else str(get_language_info(code)["name"])

    @cached_property
    def _questions(self) -> Mapping[str, Any]:
        return {question.id: question for question in self.protocol.questions}

    @cached_property
    def computed(self) -> list[tuple[str, str]]:
        return reading.computed_rows(self.submission.result.computed, self.answers)

    @property
    def stops(self) -> list[dict[str, Any]]:
        """Each time the form was stopped, and whether the answer was taken back."""
        rules = {rule.id: rule.name for rule in self.protocol.rules.rules}
        return [
            {
                "names": ", ".join(rules.get(rule, rule) for rule in stop["rules"]),
                "at": timezone.datetime.fromisoformat(stop["at"]),
                "retracted": bool(stop.get("retracted")),
            }
            for stop in self.submission.assessment.get("stops", [])
        ]

    @cached_property
    def parts(self) -> list[reading.Part]:
        """All questions that this patient was asked, with the answers."""
        # the question about suicide must be answered where it is asked; a clinic may not ask it
        screened = "si_screen" in self.answers
        route = domain.route(self.protocol, self.answers, si_screen=screened)
        if self.submission.kind in WALKS:
            route = domain.only(route, WALKS[self.submission.kind])
        asked = [page for page in route if page.id != CONTACT]
        if self.stopped:
            # what would have come after the stop was never asked
            told = [any(q.id in self.answers for q in page.questions) for page in asked]
            asked = asked[: len(told) - told[::-1].index(True)] if any(told) else []
        return reading.parts(self.protocol, asked, self.answers, proxied=self.proxied)

    # --- what came before and after ------------------------------------------------------------
    @cached_property
    def linked(self) -> list[Submission]:
        """The submission that this one adds to, and those that add to this one, oldest first."""
        # by two indexes; a join over `additions` reads the whole table
        near = Q(pk=self.submission.follows_id) | Q(follows=self.submission)
        rows = Submission.objects.filter(near).only("id", "reference", "submitted_at")
        return list(rows.order_by("submitted_at"))

    @cached_property
    def letters(self) -> list[Communication]:
        """What clinic and patient wrote to each other."""
        return list(self.submission.communications.select_related("by"))

    @property
    def alarming(self) -> list[Communication]:
        """With words of alarm unread: what the patient wrote from them on, oldest first."""
        if not self.submission.alarm:
            return []
        since = list(takewhile(lambda letter: letter.by_id is None, reversed(self.letters)))[::-1]
        return list(dropwhile(lambda letter: not letter.words["alarm"], since)) or since

    @property
    def waits(self) -> bool:
        """Whether something of the patient waits besides a decision: a message, a withdrawal, or
        that a clinician reaches them after words of alarm."""
        row = self.submission
        not_reached = row.escalate_at is not None and row.status not in workflow.OPEN
        return row.alarm or row.reply_due_at is not None or not_reached

    # --- what people did ---------------------------------------------------------------------
    @cached_property
    def decisions(self) -> list[Decision]:
        return list(self.submission.decisions.select_related("by"))

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that staff made."""
        return list(self.submission.calls.select_related("by"))

    @cached_property
    def history(self) -> list[StatusChange]:
        return list(self.submission.history.select_related("by"))

    @cached_property
    def trail(self) -> list[dict[str, Any]]:
        """Who looked at it or changed it, newest first."""
        events = list(Event.objects.filter(subject=str(self.submission.pk)).order_by("-seq")[:20])
        return [
            {"what": did(event), "who": who, "at": event.at}
            for event, who in zip(events, actors(events), strict=True)
        ]


DID = {
    "read": gettext_lazy("Opened"),
    "create": gettext_lazy("Sent"),
    "create call": gettext_lazy("Noted a call"),
    "create message": gettext_lazy("Wrote to the patient"),
    "create reply": gettext_lazy("Wrote"),
    "create alarm": gettext_lazy("Wrote words of alarm"),
    "assign": gettext_lazy("Taken or given back"),
    "decide": gettext_lazy("Decided"),
    "state": gettext_lazy("Moved on"),
    "state escalation": gettext_lazy("Escalated"),
    "state reply": gettext_lazy("Read, needs no answer"),
    "deny": gettext_lazy("Refused"),
}
"""Action of an audit event, or action and kind → words, of events about a submission."""


def did(event: Event) -> str:
    """What was done, in words."""
    by_kind = DID.get(f"{event.action} {event.detail.get('kind')}")
    return str(by_kind or DID.get(event.action, event.action))


def actors(events: list[Event]) -> list[str]:
    """The actors of events in words, with one query for all names."""
    keys = {event.actor.removeprefix("staff:") for event in events}
    people = get_user_model().objects.in_bulk([int(key) for key in keys if key.isdecimal()])
    names = {f"staff:{user.pk}": person_words(user) for user in people.values()}
    names |= {event.actor: _("the patient") for event in events if event.purpose == "PATRQT"}
    names["system:escalation"] = _("the program")
    return [names.get(event.actor, event.actor) for event in events]
