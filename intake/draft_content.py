"""The content of a draft: answers, contact and wish. Services seal the content into the row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from intake.domain import answers as domain
from intake.domain.definition import Protocol
from intake.domain.stored import ACKNOWLEDGED, PHONE, WHO

CONTACT = "contact"
CHECK = "check"
EMERGENCY = "emergency"
APPOINTMENT = "appointment"
SAVE = "save"  # not a step: the page that asks for the address of a saved draft
# what the veil does not hide of a contact, because it reveals no contact details; a draft that an
# earlier release began has the last two
CONTACT_OPEN = (WHO, ACKNOWLEDGED, "consent")
SAVED_ADDRESS = "address"  # the name of the saved address in `Content.veiled_contact`
SHOWN = "shown"  # the posted field that names the fields whose earlier values the page showed
MOST_RETURNED = 3
"""How many returned pages a draft holds. A patient has one or two; a bot must not fill the row."""


@dataclass(frozen=True)
class Content:
    """The content of a draft.

    `answers` also has answers to questions that are hidden at the moment. No assessment uses these
    answers until a change of other answers makes their questions visible again.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    visited: tuple[str, ...] = ()
    contact: Mapping[str, Any] = field(default_factory=dict)
    wish: Mapping[str, Any] = field(default_factory=dict)
    # one entry for each time that an emergency answer stopped the form:
    # {"rules": [...], "page": step, "at": iso, "retracted": iso or None}, and "intention" if the
    # patient said what he or she means to do
    stops: tuple[Mapping[str, Any], ...] = ()
    # the rules that fired at the last Continue and whose advice the next page shows
    panel: tuple[str, ...] = ()
    # the address to which the draft was saved, for one-time codes: {"address": …, "at": iso}
    saved: Mapping[str, Any] = field(default_factory=dict)
    # the values that were typed on unfinished steps: step → name → values
    typed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # the pages that came back to the patient, with everything that was posted, as it was typed:
    # step → {"posted": {name: [values]}, "why": reason, "notice": sentence, "typed": values}
    returned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # a name of `given` → the revision of the draft that changed its value last
    changed: Mapping[str, int] = field(default_factory=dict)
    # an age that the patient must confirm, with its step: {"step": step, "age": years}; until the
    # patient confirms or corrects the age, the other values of this step are in `typed`
    unsure: Mapping[str, Any] = field(default_factory=dict)
    # the signs that a bot fills in the draft
    suspect: tuple[str, ...] = ()
    # The ids of questions, and the names of contact fields, that the veil hides, because they were
    # answered before the device was left alone. Their values count, but no page shows them until
    # the patient answers again.
    veiled: tuple[str, ...] = ()
    veiled_contact: tuple[str, ...] = ()
    # the clinic's own calendar has a visit of this patient, so no step asks for a wish
    has_visit: bool = False

    @classmethod
    def load(cls, protocol: Protocol, data: Mapping[str, Any]) -> Self:
        return cls(
            answers=domain.from_json(protocol, data.get("answers", {})),
            visited=tuple(data.get("visited", ())),
            contact=data.get("contact", {}),
            wish=data.get("wish", {}),
            stops=tuple(data.get("stops", ())),
            panel=tuple(data.get("panel", ())),
            saved=data.get("saved", {}),
            typed=data.get("typed", {}),
            returned=data.get("returned", {}),
            changed=data.get("changed", {}),
            unsure=data.get("unsure", {}),
            suspect=tuple(data.get("suspect", ())),
            veiled=tuple(data.get("veiled", ())),
            veiled_contact=tuple(data.get("veiled_contact", ())),
            has_visit=data.get("has_visit", False),
        )

    def dump(self) -> dict[str, Any]:
        return {
            "answers": domain.to_json(self.answers),
            "visited": list(self.visited),
            "contact": dict(self.contact),
            "wish": dict(self.wish),
            "stops": [dict(stop) for stop in self.stops],
            "panel": list(self.panel),
            **({"saved": dict(self.saved)} if self.saved else {}),
            **({"typed": dict(self.typed)} if self.typed else {}),
            **({"returned": dict(self.returned)} if self.returned else {}),
            **({"changed": dict(self.changed)} if self.changed else {}),
            **({"unsure": dict(self.unsure)} if self.unsure else {}),
            **({"suspect": list(self.suspect)} if self.suspect else {}),
            **({"veiled": list(self.veiled)} if self.veiled else {}),
            **({"veiled_contact": list(self.veiled_contact)} if self.veiled_contact else {}),
            **({"has_visit": True} if self.has_visit else {}),
        }

    def visit(self, step: str, **changes: Any) -> Self:
        """Return the content after Continue on `step`: the step is done, `changes` are applied."""
        visited = self.visited if step in self.visited else (*self.visited, step)
        typed = {other: values for other, values in self.typed.items() if other != step}
        unsure = {} if self.unsure.get("step") == step else self.unsure
        answered = replace(self, visited=visited, typed=typed, unsure=unsure, **changes)
        return answered.without_returned(step, CHECK, EMERGENCY)

    def leave_open(self, step: str, typed: Mapping[str, Any], **changes: Any) -> Self:
        """Return the content with `typed` values of an unfinished step, only for showing them."""
        left = replace(self, typed={**self.typed, step: dict(typed)}, **changes)
        return left.without_returned(step)

    def give_back(self, step: str, posted: Mapping[str, Sequence[str]], **about: Any) -> Self:
        """Return the content with what was posted on `step`, which comes back to the patient.

        `about` are the further entries of `returned`: why, notice and typed.
        """
        lists = {name: list(values) for name, values in posted.items()}
        page = {"posted": lists, **{name: value for name, value in about.items() if value}}
        others = [item for item in self.returned.items() if item[0] != step]
        return replace(self, returned=dict([*others, (step, page)][-MOST_RETURNED:]))

    def without_returned(self, *steps: str) -> Self:
        """Return the content after these steps were answered, or left another way."""
        left = {step: page for step, page in self.returned.items() if step not in steps}
        return replace(self, returned=left)

    @property
    def given(self) -> dict[str, Any]:
        """Everything that the patient gave: answers by question, details by `detail` names."""
        contact = {detail(CONTACT, name): value for name, value in self.contact.items()}
        wish = {detail(APPOINTMENT, name): value for name, value in self.wish.items()}
        return {**self.answers, **contact, **wish}

    def stamp(self, before: Self, revision: int) -> Self:
        """Return the content that says what was given otherwise than in `before` at `revision`."""
        earlier, now = before.given, self.given
        new = {name: revision for name in {*earlier, *now} if earlier.get(name) != now.get(name)}
        return replace(self, changed={**self.changed, **new}) if new else self

    def veil(self, sensitive: Collection[str]) -> Self:
        """Return the content with the sensitive answers and the contact details hidden.

        What was typed on a returned contact page is hidden like stored details. What was typed on a
        returned page of questions is left out where the question is sensitive, because a text that
        is not an answer yet cannot count unseen.
        """
        details = self.returned.get(CONTACT, {}).get("typed")
        typed = {**self.typed, CONTACT: details} if details else self.typed
        contact = {**typed.get(CONTACT, {}), **self.contact}
        if self.saved:
            contact[SAVED_ADDRESS] = ""
        return replace(
            self,
            typed=typed,
            returned={
                step: {**page, "posted": _without(page["posted"], sensitive)}
                for step, page in self.returned.items()
                if step not in (CONTACT, EMERGENCY, SAVE)
            },
            veiled=tuple(q for q in self.answers if q in sensitive),
            veiled_contact=tuple(name for name in contact if name not in CONTACT_OPEN),
        )

    def unveil(self, questions: Collection[str]) -> Self:
        """Return the content in which the answers to these questions are not hidden any more."""
        return replace(self, veiled=tuple(q for q in self.veiled if q not in questions))

    def unvisit(self, step: str) -> Self:
        """Return the content in which `step` counts as not done. Its answers stay."""
        return replace(self, visited=tuple(other for other in self.visited if other != step))

    @property
    def addresses(self) -> list[str]:
        """The addresses to which one-time codes can be sent: saved address, e-mail, phone."""
        given = (self.saved.get("address"), self.contact.get("email"))
        return [address for address in (*given, self.contact.get(PHONE)) if address]


def detail(step: str, name: str) -> str:
    """Return the name in `Content.given` of a detail of the contact or of the wish.

    No question has this name, because the id of a question has no dot.
    """
    return f"{step}.{name}"


def _without(posted: Mapping[str, Sequence[str]], names: Collection[str]) -> dict[str, list[str]]:
    """Return what was posted without these fields. The page counts as not having shown them."""
    left = {name: list(values) for name, values in posted.items() if name not in names}
    if SHOWN in left:
        shown = (name for name in " ".join(left[SHOWN]).split() if name not in names)
        left[SHOWN] = [" ".join(shown)]
    return left
