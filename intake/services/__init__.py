"""All that happens in the clinic, one keyword-only function each; the only code that writes."""

from intake.services.documents import keep_protocol, protocol_of
from intake.services.drafts import (
    begin,
    delete_idle_drafts,
    find_draft,
    is_panel,
    keep_recognised,
    leave,
    save_contact,
    save_page,
    save_wish,
    take_back,
    walk_of,
)
from intake.services.errors import Blocked, Conflict, Gone, NotReady
from intake.services.sending import (
    add_rule_counts,
    build_history,
    build_submission,
    build_wish,
    rule_count_keys,
    submit,
    tell_clinic,
)
from intake.services.triage import (
    Verdict,
    assign,
    decide,
    move,
    open_submission,
    record_list,
    set_progress,
)

__all__ = [
    "Blocked",
    "Conflict",
    "Gone",
    "NotReady",
    "Verdict",
    "add_rule_counts",
    "assign",
    "begin",
    "build_history",
    "build_submission",
    "build_wish",
    "decide",
    "delete_idle_drafts",
    "find_draft",
    "is_panel",
    "keep_protocol",
    "keep_recognised",
    "leave",
    "move",
    "open_submission",
    "protocol_of",
    "record_list",
    "rule_count_keys",
    "save_contact",
    "save_page",
    "save_wish",
    "set_progress",
    "submit",
    "take_back",
    "tell_clinic",
    "walk_of",
]
