"""What happened around a submission: additions, messages, calls, decisions, visits, who looked."""

from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, takewhile

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Event
from intake.appointments.ending import WITHOUT_OFFERS, Arranged, arranged_from
from intake.appointments.offers import open_offers
from intake.desk import same_person, timeline
from intake.desk.acts import Acts
from intake.desk.timeline import Step
from intake.domain import workflow
from intake.models.appointments import Appointment, AppointmentRequest, Offer
from intake.models.calls import Call
from intake.models.findings import Finding
from intake.models.submissions import Communication, Decision, Submission
from intake.staff.tries import wrong_number_words
from intake.ways.contact import Reach, reach_of

MOST_NEAR = 50  # submissions of the same person that the page reads


@dataclass(frozen=True)
class SubmissionRecord:
    """What happened around a submission. Each part is read only once, at its first use."""

    submission: Submission

    @cached_property
    def near(self) -> list[Submission]:
        """The submissions that belong to this one, and those of the same name and birth date."""
        # PostgreSQL uses an index for each of the conditions; a join would read the whole table
        near = Q(pk=self.submission.follows_id) | Q(follows=self.submission)
        if same := same_person.is_alike(self.submission):
            near |= same
        rows = Submission.objects.filter(near).exclude(pk=self.submission.pk)
        return list(rows.defer("person", "search_keys").order_by("-submitted_at")[:MOST_NEAR])[::-1]

    @cached_property
    def linked(self) -> list[Submission]:
        """The submission to which this submission adds, and its own additions, oldest first."""
        return [row for row in self.near if self._belongs(row)]

    @property
    def alike(self) -> list[Submission]:
        """The other submissions of the same name and birth date."""
        return [row for row in self.near if not self._belongs(row)]

    def _belongs(self, row: Submission) -> bool:
        return row.follows_id == self.submission.pk or row.pk == self.submission.follows_id

    @cached_property
    def request(self) -> AppointmentRequest | None:
        """The patient's request for a visit."""
        return getattr(self.submission, "appointment_request", None)

    @cached_property
    def events(self) -> list[Event]:
        """The newest events of the audit trail, newest first."""
        return timeline.events_of(self.submission)

    @cached_property
    def acts(self) -> Acts:
        """The messages, decisions, calls and findings, each with the account of who acted."""
        acts = Acts(self.submission)
        acts.sign(timeline.people_of(self.events, [act.by_id for act in acts]))
        return acts

    @cached_property
    def reach(self) -> Reach:
        """The ways by which the patient may be reached."""
        if self.submission.follows_id is not None:
            return reach_of(self.submission)  # the record belongs to the first of the chain
        newest = next(reversed(self.acts.contacts), None)
        return reach_of(self.submission, known=newest)

    @property
    def findings(self) -> list[Finding]:
        return self.acts.findings

    @cached_property
    def letters(self) -> list[Communication]:
        """The messages between clinic and patient, oldest first."""
        return self.acts.letters

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
        return self.acts.decisions[::-1]

    @cached_property
    def calls(self) -> list[Call]:
        """The calls that staff made to the patient."""
        return self.acts.calls

    @property
    def wrong_number(self) -> str:
        """That the patient's number is wrong, in words; '' if no call found this out."""
        return wrong_number_words(self.calls, self.submission.person)

    @cached_property
    def visits(self) -> list[Appointment]:
        """The visits and held times of the patient, the earliest first."""
        return list(self.submission.appointments.for_reading().order_by("during"))

    @property
    def visits_to_come(self) -> list[Appointment]:
        """What is booked, held or offered, the earliest first."""
        return [visit for visit in self.visits if visit.status in workflow.OCCUPYING]

    @cached_property
    def offers(self) -> list[Offer]:
        """The times that are offered to the patient now."""
        asked = self.request is not None and self.request.progress in WITHOUT_OFFERS
        return [] if self.request is None or asked else open_offers(submission=self.submission)

    @property
    def arranged(self) -> Arranged:
        """What is arranged for the patient, for the decision form."""
        return arranged_from(self.request, self.visits, self.offers)

    @property
    def timeline(self) -> list[Step]:
        """What happened, newest first."""
        row, acts = self.submission, self.acts
        steps = list(timeline.steps_of_events(self.events, acts.people))
        if (began := timeline.began_at(row)) is not None:
            steps.append(Step(began, _("Began the form"), _("the patient")))
        steps += [timeline.step_of_act(act) for act in acts]
        steps += [timeline.visit_step(visit) for visit in self.visits]
        return sorted(steps, key=lambda step: step.at, reverse=True)
