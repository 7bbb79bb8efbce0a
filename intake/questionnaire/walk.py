"""A patient's walk through one draft: which step comes next, which are done, what stops the form.

The pages come from the protocol; the steps `contact` and `appointment` follow after the pages. The
route is computed from the draft's content each time and never stored, so that no draft can be on a
page that does not exist any more. Nothing here uses a clock or the database.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from intake.domain import route as domain
from intake.domain.computed import questions_behind
from intake.domain.definition import Protocol, QuestionPage, Rule
from intake.domain.triage import Assessment, assess, interrupting_rules
from intake.domain.uses import ADDITION, PART_2, Uses
from intake.domain.wording import Wording
from intake.draft_content import APPOINTMENT, CONTACT, Content

# If a patient without a parent or guardian types a lower age, it is more often a typing error (7
# for 71) than a child alone. So the patient must confirm the age before the draft is deleted.
CONFIRM_AGE_BELOW = 12


@dataclass(frozen=True)
class Walk:
    """The route of one draft.

    `kind` is 'intake' for the questionnaire (part 1), or a short walk: 'appointment' (safety, a few
    questions, contact and wish), 'addition' (safety and a few questions) or 'part_2' (safety and
    what part 1 left for later). An addition and part 2 keep the contact of the earlier submission.
    Part 2 also has the answers of part 1. With `has_wish`, the patient asked for a visit before, so
    no step asks for the wish. The rules of `protocol` judge the answers. Pages show the texts of
    `wording`, or of `protocol` if `wording` is None.
    """

    protocol: Protocol
    content: Content
    kind: str = "intake"
    si_screen: bool = True
    wording: Wording | None = None
    has_wish: bool = False
    reach: timedelta | None = None  # how long the browser may be idle and still open the draft

    @property
    def uses(self) -> Uses:
        """The questions that the program itself uses."""
        return self.protocol.uses

    @cached_property
    def words(self) -> Wording:
        """The wording whose texts the pages show."""
        return self.wording or Wording(self.protocol)

    def with_content(self, content: Content) -> "Walk":
        """Return the walk with other content. If no answer changes, computed values are reused."""
        walk = replace(self, content=content)
        if content.answers == self.content.answers and content.contact == self.content.contact:
            for name in ("known", "pages", "steps", "interrupting_rules"):
                if name in self.__dict__:
                    walk.__dict__[name] = self.__dict__[name]
        return walk

    @cached_property
    def known(self) -> dict[str, Any]:
        """The answers that the rules judge, including the answers of the contact step."""
        uses, contact = self.uses, self.content.contact
        stored = uses.contact.stored_names
        asked = {q: contact[name] for q, name in stored.items() if name in contact}
        everything = {**self.content.answers, **asked}
        everything = {q: value for q, value in everything.items() if uses.judges(self.kind, q)}
        return domain.kept_answers(self.protocol, everything, si_screen=self.si_screen)

    @cached_property
    def pages(self) -> tuple[QuestionPage, ...]:
        """The pages of the route, each with its visible questions only."""
        spoken = self.words.protocol
        route = domain.route(spoken, self.content.answers, si_screen=self.si_screen)
        pages = domain.pages_in(self.uses, self.kind, route)
        if (second := self.uses.cannot_wait) is None or spoken.falls_short(self.words.language):
            return pages
        return domain.leaving_out(pages, second.q)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The ids of the pages, then contact and wish, unless the walk adds to a submission."""
        own: tuple[str, ...] = () if self.kind in (ADDITION, PART_2) else (CONTACT, APPOINTMENT)
        if self.has_wish:
            own = own[:1]
        return (*(page.id for page in self.pages), *own)

    def page(self, step: str) -> QuestionPage | None:
        """Return the page with its visible questions; None if `step` is no page of the route."""
        return next((page for page in self.pages if page.id == step), None)

    def done(self, step: str) -> bool:
        """Whether the patient pressed Continue on `step` and answered its required questions."""
        if step not in self.content.visited:
            return False
        if step == CONTACT:
            return bool(self.content.contact)
        if step == APPOINTMENT:
            return bool(self.content.wish)
        page = self.page(step)
        return page is not None and domain.page_done(page, self.content.answers)

    @cached_property
    def first_open(self) -> str | None:
        """The first step that is not done; None if all steps are done."""
        return next((step for step in self.steps if not self.done(step)), None)

    def reachable(self, step: str) -> bool:
        """Whether `step` may be shown: every step before it is done."""
        if step not in self.steps:
            return False
        if self.first_open is None:
            return True
        return self.steps.index(step) <= self.steps.index(self.first_open)

    def before(self, step: str) -> str | None:
        """Return the step before `step`; None for the first step."""
        index = self.steps.index(step) if step in self.steps else 0
        return self.steps[index - 1] if index else None

    def after(self, step: str) -> str | None:
        """Return the step after `step`; None for the last step."""
        index = self.steps.index(step)
        return self.steps[index + 1] if index + 1 < len(self.steps) else None

    def part_of(self, step: str) -> tuple[int, int]:
        """Return the number of the part of the walk that `step` belongs to, and of all parts.

        A part is a section. Pages are not counted, because their number depends on the answers. Of
        the sections behind the patient only those count that were asked. All sections ahead count.
        So the number never jumps, and the last step belongs to the last part.
        """
        sections = [
            section.id
            for section in self.protocol.questionnaire.sections
            if not self.uses.later.issuperset(question.id for question in section.questions)
        ]
        if APPOINTMENT in self.steps:
            sections.append(APPOINTMENT)
        of_step = {page.id: page.section for page in self.pages}
        of_step[CONTACT] = self.protocol.page_of(self.uses.contact.phone).section
        of_step[APPOINTMENT] = APPOINTMENT
        place = sections.index(of_step[step])
        asked = {of_step[other] for other in self.steps}
        number = 1 + sum(section in asked for section in sections[:place])
        return number, number + len(sections) - place - 1

    # --- judgement ---------------------------------------------------------------------------
    @property
    def retracted(self) -> bool:
        """Whether an emergency answer ever stopped the form in this draft."""
        return bool(self.content.stops)

    @cached_property
    def assessment(self) -> Assessment:
        """The result of the rules for the current answers."""
        return assess(
            self.protocol,
            self.known,
            safety_retracted=self.retracted and not self.interrupting_rules,
            si_screen=self.si_screen,
            asked=self.uses.short_walk(PART_2) if self.kind == PART_2 else None,
        )

    @cached_property
    def interrupting_rules(self) -> tuple[Rule, ...]:
        """The rules that stop the form because of the current answers."""
        return interrupting_rules(self.protocol, self.known, si_screen=self.si_screen)

    @property
    def may_correct(self) -> bool:
        """Whether the patient pressed 'I picked this by mistake' after the last stop."""
        return bool(self.content.stops) and bool(self.content.stops[-1].get("retracted"))

    def stops_by(self, step: str) -> bool:
        """Whether a rule that stops the form now reads the answer to a question of `step`."""
        page = self.page(step)
        wanted = {
            id
            for rule in self.interrupting_rules
            for id in questions_behind(self.protocol, rule.when)
        }
        return page is not None and any(question.id in wanted for question in page.questions)

    @property
    def proxied(self) -> bool:
        """Whether another person fills in the form for the patient."""
        return self.uses.is_proxy(self.content.answers.get(self.uses.who.q))


def age_on(day: date, birth_date: date) -> int:
    """Return the age in completed years on `day`."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday
