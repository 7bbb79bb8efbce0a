"""The content of a draft: answers, contact and wish. Services seal the content into the row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from intake.domain import answers as domain
from intake.domain.definition import Protocol
from intake.domain.stored import ACKNOWLEDGED, PHONE, WHO

CONTACT = "contact"
APPOINTMENT = "appointment"
# what the veil does not hide of a contact, because it reveals no contact details; a draft that an
# earlier release began has the last two
CONTACT_OPEN = (WHO, ACKNOWLEDGED, "consent")
SAVED_ADDRESS = "address"  # the name of the saved address in `Content.veiled_contact`


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
            unsure=data.get("unsure", {}),
            suspect=tuple(data.get("suspect", ())),
            veiled=tuple(data.get("veiled", ())),
            veiled_contact=tuple(data.get("veiled_contact", ())),
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
            **({"unsure": dict(self.unsure)} if self.unsure else {}),
            **({"suspect": list(self.suspect)} if self.suspect else {}),
            **({"veiled": list(self.veiled)} if self.veiled else {}),
            **({"veiled_contact": list(self.veiled_contact)} if self.veiled_contact else {}),
        }

    def visit(self, step: str, **changes: Any) -> Self:
        """Return the content after Continue on `step`: the step is done, `changes` are applied."""
        visited = self.visited if step in self.visited else (*self.visited, step)
        typed = {other: values for other, values in self.typed.items() if other != step}
        unsure = {} if self.unsure.get("step") == step else self.unsure
        return replace(self, visited=visited, typed=typed, unsure=unsure, **changes)

    def leave_open(self, step: str, typed: Mapping[str, Any], **changes: Any) -> Self:
        """Return the content with `typed` values of an unfinished step, only for showing them."""
        return replace(self, typed={**self.typed, step: dict(typed)}, **changes)

    def veil(self, sensitive: Collection[str]) -> Self:
        """Return the content with the sensitive answers and the contact details hidden."""
        contact = {**self.typed.get(CONTACT, {}), **self.contact}
        if self.saved:
            contact[SAVED_ADDRESS] = ""
        return replace(
            self,
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
