"""What a draft holds: answers under way, contact, wish. Pure; services seal it into the row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from intake.domain import answers as domain
from intake.domain.definition import Protocol

CONTACT = "contact"
APPOINTMENT = "appointment"
SAFETY = "safety"
# asked on the contact step and kept with the contact, not among the answers
CONTACT_QUESTIONS = ("lang_help", "callback_phone", "ack")
# of the contact step, what tells nobody how to reach the patient
CONTACT_OPEN = ("who", "ack", "consent")
SAVED_ADDRESS = "address"  # among the veiled contact: where a code may be sent


@dataclass(frozen=True)
class Content:
    """What a draft holds. `answers` keeps also those of pages hidden for the moment: they come
    back when the patient changes their mind again, and are left out of every judgement."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    visited: tuple[str, ...] = ()
    contact: Mapping[str, Any] = field(default_factory=dict)
    wish: Mapping[str, Any] = field(default_factory=dict)
    # each time the form was stopped: {"rules": [...], "page": step, "at": iso, "retracted": iso}
    stops: tuple[Mapping[str, Any], ...] = ()
    # the rules that the last Continue made fire, whose panel the next page shows
    panel: tuple[str, ...] = ()
    # where a code may be sent to come back later: {"address": …, "at": iso}
    saved: Mapping[str, Any] = field(default_factory=dict)
    # what was typed on a step that was left unfinished: step → name → values
    typed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # the age that the patient has not confirmed yet, and the step it was typed on, whose other
    # values wait in `typed`: {"step": step, "age": years}
    unsure: Mapping[str, Any] = field(default_factory=dict)
    # why a person may not have filled this in
    suspect: tuple[str, ...] = ()
    # what was said before the device was left alone: it counts, and no page shows it until it is
    # said again. Questions by their ids, the contact by its fields
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
        """The content after Continue on `step`, with the given fields replaced."""
        visited = self.visited if step in self.visited else (*self.visited, step)
        typed = {other: said for other, said in self.typed.items() if other != step}
        unsure = {} if self.unsure.get("step") == step else self.unsure
        return replace(self, visited=visited, typed=typed, unsure=unsure, **changes)

    def leave_open(self, step: str, typed: Mapping[str, Any], **changes: Any) -> Self:
        """The content with `step` left unfinished: `typed` is shown there and answers nothing."""
        return replace(self, typed={**self.typed, step: dict(typed)}, **changes)

    def veil(self, sensitive: Collection[str]) -> Self:
        """The content with nothing shown of the sensitive questions and of the contact."""
        contact = {**self.typed.get(CONTACT, {}), **self.contact}
        if self.saved:
            contact[SAVED_ADDRESS] = ""
        return replace(
            self,
            veiled=tuple(q for q in self.answers if q in sensitive),
            veiled_contact=tuple(name for name in contact if name not in CONTACT_OPEN),
        )

    def unveil(self, questions: Collection[str]) -> Self:
        """The content with these questions answered anew: their answers are shown."""
        return replace(self, veiled=tuple(q for q in self.veiled if q not in questions))

    def unvisit(self, step: str) -> Self:
        """The content with `step` to be done again; what was said there is kept."""
        return replace(self, visited=tuple(other for other in self.visited if other != step))

    @property
    def addresses(self) -> list[str]:
        """Where a code for this draft may be sent: the address it was saved with, the contact's."""
        given = (self.saved.get("address"), self.contact.get("email"))
        return [address for address in (*given, self.contact.get("callback_phone")) if address]
