"""Present a submission to staff: what the patient sent, what the rules found, what staff did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import dropwhile, takewhile
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from intake import documents
from intake.appointments.admin.words import wish_rows
from intake.desk import trail
from intake.domain import answers as domain
from intake.domain import workflow
from intake.domain.danger import Found, marked
from intake.domain.danger_scope import NOW
from intake.domain.definition import FLAG, Protocol, QuestionPage
from intake.domain.grammar import DANGER
from intake.domain.route import leaving_out, pages_in
from intake.domain.route import route as route_of
from intake.domain.stored import PHONE
from intake.domain.summary import summary
from intake.domain.triage import Fired
from intake.domain.uses import PART_2, Uses
from intake.models.calls import Call
from intake.models.clinic_time import Clinician
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import (
    Communication,
    Decision,
    Kind,
    StatusChange,
    Submission,
    Urgency,
)
from intake.questionnaire.right_age import corrected_age
from intake.staff import entered_by_phone
from intake.staff.tries import wrong_number_words
from intake.wording import advice, reading
from intake.wording.intentions import INTENTIONS

ASKED = (NOW, "passed", "answered")  # the scopes of words about which the patient was asked


@dataclass(frozen=True)
class SubmissionPage:
    """A submission in words for staff. Each sealed part is opened only once, at its first use."""

    submission: Submission

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
    def complaint(self) -> str:
        """The complaint as the patient chose it: 'Restless legs; Both legs; Over a year'."""
        return "; ".join(self._words_of(self.uses.complaint))

    @cached_property
    def call(self) -> PhoneCall | None:
        """The call in which staff entered the answers; None if the patient sent them."""
        return entered_by_phone.call_of(self.submission)

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
        asked = (self._questions[id] for id in left_out)
        return [(q.for_proxy() if self.proxied else q).text for q in asked]

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
        asked = (self.protocol.question(id) for id in questions)
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
        request = getattr(self.submission, "appointment_request", None)
        if request is None:
            return []
        named = any(wish.get("clinician") for wish in request.wishes)
        return wish_rows(request, Clinician.objects.all() if named else ())

    # --- what the rules found --------------------------------------------------------------------
    @property
    def red_flags(self) -> list[Fired]:
        return advice.red_flags(self.submission.result)

    @property
    def crisis_procedure(self) -> str:
        """The place of the clinic's procedure for thoughts of suicide; '' if no such rule fired."""
        named = self.protocol.crisis_rules.intersection(fired.id for fired in self.red_flags)
        return settings.CRISIS_PROCEDURE if named else ""

    @property
    def other_rules(self) -> list[Fired]:
        red = {fired.id for fired in self.red_flags}
        return [fired for fired in self.submission.result.fired if fired.id not in red]

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """All fired rules, each with its reason, its source and the answers that the rule used."""
        return [self._explained(fired) for fired in self.submission.result.fired]

    @property
    def flags(self) -> list[dict[str, Any]]:
        """All flags with an explanation. A flag of part 2 has read the answers of both parts."""
        later = self.part_2.result.flags if self.part_2 else ()
        flags = {fired.id: fired for fired in (*self.submission.result.flags, *later)}
        return [self._explained(fired) for fired in flags.values()]

    def _explained(self, fired: Fired) -> dict[str, Any]:
        used = []
        for heard in fired.inputs.get(DANGER) or ():
            question = self._questions[heard["q"]]
            question = question.for_proxy() if self.proxied else question
            used.append((question.text, f"“{heard['words']}”"))
        for name, value in fired.inputs.items():
            if value is None or name not in self._questions:
                continue
            question = self._questions[name]
            question = question.for_proxy() if self.proxied else question
            restored = domain.from_json(self.protocol, {name: value})[name]
            used.append((question.text, ", ".join(reading.answer_words(question, restored))))
        level = Urgency.of(fired.level) if fired.level != FLAG else None
        return {"rule": fired, "urgency": level, "used": used, "read": self._translated(fired)}

    def _translated(self, fired: Fired) -> str:
        """Return the advice as the patient read it, or '' when the patient read it in English."""
        if self.submission.translation_id is None:
            return ""
        words = documents.wording_as_read(self.submission.translation_id)
        spoken = words.language_of(fired.level) != "en" and fired.level != FLAG
        return words.protocol.rule(fired.id).advice if spoken else ""

    @property
    def language(self) -> str:
        """The language in which the patient answered, or '' for English."""
        code = self.submission.language
        return "" if code == "en" else str(get_language_info(code)["name"])

    @cached_property
    def _questions(self) -> Mapping[str, Any]:
        return {question.id: question for question in self.protocol.questions}

    @cached_property
    def computed(self) -> list[tuple[str, str]]:
        """The lines of the summary. Once part 2 is sent, they cover both parts."""
        if self.part_2 is None:
            return summary(self.protocol, self.answers, self.submission.result.computed)
        both = domain.from_json(self.protocol, self.part_2.answers)
        return summary(self.protocol, both | self.answers, self.part_2.result.computed)

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
        """The answers that the printed first page shows, and those of them that are missing.

        A question that was not asked is left out.
        """
        rows = [row for part in (*self.parts, *self.later_parts) for row in part.rows]
        by_id = {row.question: row for row in rows}
        return [by_id[id] for id in self.uses.glance if id in by_id]

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

    # --- what came before and after --------------------------------------------------------------
    @cached_property
    def linked(self) -> list[Submission]:
        """The submission to which this submission adds, and its own additions, oldest first."""
        # PostgreSQL uses an index for each of the two conditions; a join would read the whole table
        near = Q(pk=self.submission.follows_id) | Q(follows=self.submission)
        rows = Submission.objects.filter(near).defer("person", "search_keys")
        return list(rows.order_by("submitted_at"))

    @cached_property
    def letters(self) -> list[Communication]:
        """The messages between clinic and patient, oldest first."""
        return list(self.submission.communications.select_related("by"))

    @property
    def unanswered(self) -> list[Communication]:
        """The patient's last messages that staff have not answered, oldest first.

        While alarm words are unread, the list begins with the message that contains them.
        """
        row, newest_first = self.submission, iter(reversed(self.letters))
        if not row.alarm and row.reply_due_at is None:
            return []
        # a question of staff after the patient's message does not answer the message
        if row.status != "withdrawn":
            newest_first = dropwhile(lambda letter: letter.by_id is not None, newest_first)
        since = list(takewhile(lambda letter: letter.by_id is None, newest_first))[::-1]
        if not row.alarm:
            return since
        return list(dropwhile(lambda letter: not letter.words["alarm"], since)) or since

    @property
    def withdrew(self) -> bool:
        """Whether the patient withdrew and has no message that waits for an answer."""
        return self.submission.status == "withdrawn" and not self.unanswered

    @property
    def waits(self) -> bool:
        """Whether staff must do something for the patient other than decide.

        Staff must read a message or a withdrawal, or a clinician must reach the patient after alarm
        words.
        """
        row = self.submission
        not_reached = row.escalate_at is not None and row.status not in workflow.OPEN
        return row.alarm or row.reply_due_at is not None or not_reached

    # --- what staff did --------------------------------------------------------------------------
    @cached_property
    def decisions(self) -> list[Decision]:
        return list(self.submission.decisions.select_related("by"))

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that staff made to the patient."""
        return list(self.submission.calls.select_related("by"))

    @property
    def wrong_number(self) -> str:
        """That the patient's number is wrong, in words; '' if no call found this out."""
        return wrong_number_words(self.calls, self.submission.person)

    @cached_property
    def history(self) -> list[StatusChange]:
        return list(self.submission.history.select_related("by"))

    @cached_property
    def trail(self) -> list[dict[str, Any]]:
        return trail.trail_of(self.submission)
