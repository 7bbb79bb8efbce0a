"""Present a submission to staff: what the patient sent, what the rules found, what staff did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from intake import documents
from intake.appointments.admin.words import wish_rows
from intake.desk import short_words
from intake.desk.reasons import Reason, reason_of
from intake.desk.submission_record import SubmissionRecord
from intake.domain import answers as domain
from intake.domain.danger import Found, marked
from intake.domain.danger_scope import NOW
from intake.domain.definition import Protocol, Question, QuestionPage
from intake.domain.grammar import DANGER
from intake.domain.route import leaving_out, pages_in
from intake.domain.route import route as route_of
from intake.domain.stored import PHONE
from intake.domain.summary import summary
from intake.domain.triage import Fired
from intake.domain.uses import PART_2, Uses
from intake.models.clinic_time import Clinician
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import (
    Kind,
    Submission,
)
from intake.questionnaire.right_age import corrected_age
from intake.staff import entered_by_phone
from intake.wording import advice, reading
from intake.wording.intentions import INTENTIONS

ASKED = (NOW, "passed", "answered")  # the scopes of words about which the patient was asked


SCOPES: dict[str | None, object] = {
    NOW: gettext_lazy("now"),
    "denied": gettext_lazy("denied"),
    "past": gettext_lazy("in the past"),
    "other": gettext_lazy("of another person, or feared"),
    "passed": gettext_lazy("over, the patient says"),
    "answered": gettext_lazy("asked about"),
}
"""What the scopes of danger in own words mean, for staff."""

MarkedPart = tuple[str, list[tuple[reading.AnswerRow, list[str]]]]
"""The title of a part, and its answers, each with the ids of the rules that the answer fired."""


@dataclass(frozen=True)
class SubmissionPage(SubmissionRecord):
    """A submission in words for staff. Each sealed part is opened only once, at its first use."""

    @cached_property
    def protocol(self) -> Protocol:
        return documents.protocol_of(self.submission.protocol_id)

    @property
    def uses(self) -> Uses:
        """The used questions of the protocol, by their role in the program."""
        return self.protocol.uses

    @property
    def asked(self) -> str:
        """The title and version of the protocol with which the patient was asked, in words."""
        title = documents.title_of(self.submission.protocol_id)
        version = self.protocol.questionnaire.version
        return _("%(title)s, version %(version)s") % {"title": title, "version": version}

    @property
    def stopped(self) -> bool:
        return self.submission.kind == Kind.STOPPED

    @cached_property
    def answers(self) -> dict[str, Any]:
        return domain.from_json(self.protocol, self.submission.answers)

    @property
    def proxied(self) -> bool:
        return self.uses.is_proxy(self.answers.get(self.uses.who.q))

    @property
    def about(self) -> str:
        """The patient's age and sex, as far as known: '44 years, female'."""
        age = corrected_age(self.submission) or self.answers.get(self.uses.age)
        parts = [] if age is None else [_("%(age)s years") % {"age": age}]
        return ", ".join([*parts, *self._words_of(self.uses.first_line)])

    @property
    def born(self) -> date | None:
        """The patient's birth date."""
        stored = self.submission.person.get("birth_date")
        return date.fromisoformat(stored) if stored else None

    @property
    def complaint(self) -> str:
        """The complaint as the patient chose it: 'Restless legs; Both legs; Over a year'."""
        return "; ".join(self._words_of(self.uses.complaint))

    @cached_property
    def call(self) -> PhoneCall | None:
        """The call in which staff entered the answers; None if the patient sent them."""
        return getattr(self.submission, "phone_call", None)

    @property
    def entered(self) -> str:
        """Who entered the answers by phone, and who called; '' if the patient sent them."""
        return entered_by_phone.entered_words(self.call) if self.call else ""

    @property
    def phone_steps(self) -> list[dict[str, Any]]:
        """What staff did at the phone after an emergency answer."""
        return entered_by_phone.step_rows(self.call) if self.call else []

    @property
    def not_asked(self) -> list[str]:
        """The questions that a nurse asks, because they were not asked by phone."""
        left_out = self.submission.assessment.get("not_asked", ())
        return [self._questions[id].text for id in left_out]

    @property
    def own_words(self) -> list[tuple[str, str | None]]:
        """The patient's own words in pieces, each with the scope of the danger that is heard."""
        result, asked = self.submission.result, self.uses.own_words
        heard = [
            Found.from_json(hit)
            for fired in (*result.fired, *result.flags)
            for hit in fired.inputs.get(DANGER) or ()
            if hit["q"] == asked
        ]
        return marked(str(self.answers.get(asked, "")), heard)

    @property
    def marked_words(self) -> list[tuple[str, str, str]]:
        """The patient's own words in pieces: each with its scope, or '', and a word for the scope.

        Of pieces that follow each other with one scope, only the last has the word.
        """
        pieces = self.own_words
        scopes = [scope for _piece, scope in pieces if scope]
        marked, place = [], 0
        for piece, scope in pieces:
            place += bool(scope)
            ends = bool(scope) and scopes[place : place + 1] != [scope]
            marked.append((piece, scope or "", str(SCOPES.get(scope, scope)) if ends else ""))
        return marked

    @property
    def has_danger_words(self) -> bool:
        """Whether danger is heard in the patient's own words."""
        return any(scope for _piece, scope in self.own_words)

    @cached_property
    def told(self) -> list[tuple[str, str, str]]:
        """The questions about words of danger, each as (words, question, answer).

        The answer is '' if the patient did not answer, which counts as yes.
        """
        told, fired = [], (*self.submission.result.fired, *self.submission.result.flags)
        hits = [hit for rule in fired for hit in rule.inputs.get(DANGER) or ()]
        for row in (row for part in self.parts for row in part.rows):
            about = self.protocol.question(row.question).about
            if about is None:
                continue
            frames = self.protocol.frames_of(about.rules)
            words = [
                hit["words"]
                for hit in hits
                if hit["q"] == about.q and hit["frame"] in frames and hit["scope"] in ASKED
            ]
            told.append(("; ".join(dict.fromkeys(words)), row.label, ", ".join(row.values)))
        return told

    def _words_of(self, questions: Iterable[str]) -> list[str]:
        asked = (short_words.brief(self.protocol, id) for id in questions)
        return [word for q in asked for word in reading.answer_words(q, self.answers.get(q.id))]

    @cached_property
    def contact(self) -> list[tuple[str, list[str]]]:
        return reading.contact_rows(self.protocol, self.submission.person)

    @property
    def name(self) -> str:
        return str(self.submission.person.get("name") or _("Name not given"))

    @property
    def phone(self) -> str:
        return str(self.submission.person.get(PHONE, ""))

    @cached_property
    def wish(self) -> list[tuple[str, list[str]]]:
        request = self.request
        if request is None:
            return []
        known = [visit.clinician for visit in self.visits]
        wished = {wish["clinician"] for wish in request.wishes if wish.get("clinician")}
        unknown = wished - {str(clinician.pk) for clinician in known}
        return wish_rows(request, Clinician.objects.all() if unknown else known)

    # --- what the rules found --------------------------------------------------------------------
    @property
    def red_flags(self) -> list[Fired]:
        return advice.red_flags(self.submission.result)

    @property
    def crisis_procedure(self) -> str:
        """The place of the clinic's procedure for thoughts of suicide; '' if no such rule fired."""
        named = self.protocol.crisis_rules.intersection(fired.id for fired in self.red_flags)
        return settings.CRISIS_PROCEDURE if named else ""

    @cached_property
    def reasons(self) -> list[Reason]:
        """All fired rules, each with its reason, its source and what made it fire."""
        return [self._reason(fired, self.submission) for fired in self.submission.result.fired]

    @cached_property
    def flags(self) -> list[Reason]:
        """All flags with an explanation. A flag of part 2 has read the answers of both parts."""
        own = {fired.id: (fired, self.submission) for fired in self.submission.result.flags}
        if self.part_2 is not None:
            own |= {fired.id: (fired, self.part_2) for fired in self.part_2.result.flags}
        return [self._reason(fired, judged) for fired, judged in own.values()]

    def _reason(self, fired: Fired, judged: Submission) -> Reason:
        return reason_of(
            self.protocol,
            fired,
            answers=self.answers if judged is self.submission else self.all_answers,
            computed=judged.result.computed,
            proxied=self.proxied,
            translation=self.submission.translation_id,
        )

    @cached_property
    def fired_by(self) -> dict[str, list[str]]:
        """Map questions to the rules that their answers fired, so that the answers are marked."""
        found: dict[str, list[str]] = {}
        for reason in (*self.reasons, *self.flags):
            for question in reason.questions:
                found.setdefault(question, []).append(reason.rule.id)
        return found

    @property
    def all_answers(self) -> dict[str, Any]:
        """The answers of the submission and of its part 2."""
        if self.part_2 is None:
            return self.answers
        return domain.from_json(self.protocol, self.part_2.answers) | self.answers

    @property
    def language(self) -> str:
        """The language in which the patient answered, or '' for English."""
        code = self.submission.language
        return "" if code == "en" else str(get_language_info(code)["name"])

    @cached_property
    def _questions(self) -> Mapping[str, Question]:
        asked = ((q.id, q.for_proxy() if self.proxied else q) for q in self.protocol.questions)
        return dict(asked)

    @cached_property
    def computed(self) -> list[tuple[str, str]]:
        """The lines of the summary. Once part 2 is sent, they cover both parts."""
        if self.part_2 is None:
            return summary(self.protocol, self.answers, self.submission.result.computed)
        return summary(self.protocol, self.all_answers, self.part_2.result.computed)

    @property
    def stops(self) -> list[dict[str, Any]]:
        """Each stop: the rules, the time, and whether the patient took the answer back."""
        rules = {rule.id: rule.name for rule in self.protocol.rules.rules}
        return [
            {
                "names": ", ".join(rules.get(rule, rule) for rule in stop["rules"]),
                "at": datetime.fromisoformat(stop["at"]),
                "retracted": bool(stop.get("retracted")),
                "intention": INTENTIONS[said].note if (said := stop.get("intention")) else "",
            }
            for stop in self.submission.assessment.get("stops", [])
        ]

    @property
    def glance(self) -> list[reading.AnswerRow]:
        """The answers that staff look for first, and those of them that are missing.

        A question that was not asked is left out.
        """
        rows = [row for part in (*self.parts, *self.later_parts) for row in part.rows]
        by_id = {row.question: row for row in rows}
        return [by_id[id] for id in self.uses.glance if id in by_id]

    @property
    def facts(self) -> list[tuple[str, str, str]]:
        """The answers of `glance` in short words, each with the limits that a number met.

        For example ("Ferritin", "11.5 ng/mL", "limit ≤ 75, N03"). The words of a missing answer are
        ''.
        """
        answers, facts = self.all_answers, []
        for row in self.glance:
            question = short_words.brief(self.protocol, row.question)
            words = ", ".join(reading.answer_words(question, answers.get(row.question)))
            met = [
                _("limit %(limit)s, %(rule)s") % {"limit": limit, "rule": reason.rule.id}
                for reason in (*self.reasons, *self.flags)
                if (limit := reason.limits.get(row.question))
            ]
            facts.append((question.text, words, "; ".join(met)))
        return facts

    @cached_property
    def parts(self) -> list[reading.AnswerGroup]:
        """All questions that the patient was asked, with the answers."""
        asked = self._pages(self.submission.kind, self.answers)
        if self.stopped:
            # the patient did not see the pages after the stop
            while asked and not any(q.id in self.answers for q in asked[-1].questions):
                asked.pop()
        return reading.answers_by_part(self.protocol, asked, self.answers, proxied=self.proxied)

    @cached_property
    def later_parts(self) -> list[reading.AnswerGroup]:
        """The questions of part 2, and their answers once part 2 is sent."""
        if self.submission.kind != Kind.INTAKE:
            return []
        sent, answers = self.part_2, self.answers
        if sent:
            answers = domain.from_json(self.protocol, sent.answers)
        pages = self._pages(PART_2, answers)[0 if sent else 1 :]  # the first page is about safety
        return reading.answers_by_part(self.protocol, pages, answers, proxied=self.proxied)

    @property
    def marked_parts(self) -> list[MarkedPart]:
        """The parts with the rules that each answer fired."""
        return self._marked(self.parts)

    @property
    def marked_later_parts(self) -> list[MarkedPart]:
        """The parts of part 2 with the flags that each answer raised."""
        return self._marked(self.later_parts)

    def _marked(self, parts: Iterable[reading.AnswerGroup]) -> list[MarkedPart]:
        fired = self.fired_by
        return [
            (part.title, [(row, fired.get(row.question, [])) for row in part.rows])
            for part in parts
        ]

    def _pages(self, kind: str, answers: Mapping[str, Any]) -> list[QuestionPage]:
        """Return the pages that a walk of this kind asked a patient with these answers.

        A clinic may leave out the question about suicide, so the question counts as asked only if
        there is an answer.
        """
        screened = self.uses.crisis in answers
        route = route_of(self.protocol, answers, si_screen=screened)
        left_out = self.submission.assessment.get("not_asked", ())
        return list(leaving_out(pages_in(self.uses, kind, route), left_out))

    @cached_property
    def part_2(self) -> Submission | None:
        """The part 2 that the patient sent to this submission."""
        return next((row for row in self.linked if self._is_part_2(row)), None)

    def _is_part_2(self, row: Submission) -> bool:
        return row.kind == Kind.PART_2 and row.follows_id == self.submission.pk
