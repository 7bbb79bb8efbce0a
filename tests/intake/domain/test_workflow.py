"""The statuses of a submission and their moves."""

import pytest

from intake.domain import workflow
from intake.domain.workflow import NotAllowed, action_of, allowed, move


def test_a_submission_is_taken_decided_and_closed() -> None:
    status = workflow.NEW
    for action in ("assign", "decide", "close"):
        status = move(status, action)
    assert status == "closed"


def test_only_what_a_clinician_decided_or_the_patient_took_back_can_be_closed() -> None:
    closing = {status for status in workflow.STATUSES if "close" in allowed(status)}
    assert closing == {"decided", "withdrawn"}


def test_what_a_patient_writes_changes_no_status_but_answers_what_was_asked() -> None:
    after = {status: move(status, "reply") for status in workflow.STATUSES}
    assert after == {status: status for status in workflow.STATUSES} | {"waiting": "in_review"}


def test_what_waits_for_the_patient_is_not_new_again_whoever_gives_it_back() -> None:
    assert move("waiting", "release") == "waiting"


def test_a_move_that_is_not_allowed_says_why() -> None:
    with pytest.raises(NotAllowed) as caught:
        move("new", "close")
    assert caught.value.message == ("You cannot choose “close” here: the submission is “new”.")
    with pytest.raises(NotAllowed):
        move("closed", "decide")
    with pytest.raises(NotAllowed):
        move("nowhere", "decide")


def test_every_open_submission_can_be_decided() -> None:
    for status in workflow.OPEN:
        assert move(status, "decide") == "decided"


def test_nothing_is_a_dead_end() -> None:
    for status in workflow.STATUSES:
        assert allowed(status)


def test_the_table_names_only_known_statuses_and_actions() -> None:
    for (status, action), after in workflow.MOVES.items():
        assert {status, after} <= workflow.STATUSES.keys()
        assert action in workflow.ACTIONS


def test_needing_more_information_waits_and_every_other_outcome_decides() -> None:
    assert {outcome: action_of(outcome) for outcome in workflow.OUTCOMES} == dict.fromkeys(
        workflow.OUTCOMES, "decide"
    ) | {"need_more_information": "ask"}
    assert move("in_review", action_of("need_more_information")) == "waiting"
    with pytest.raises(NotAllowed):
        action_of("shrug")


# --- requests and visits --------------------------------------------------------------------------


def test_a_request_is_offered_booked_and_done() -> None:
    progress = workflow.REQUESTED
    for action in ("call", "offer", "return", "offer", "book", "complete"):
        progress = workflow.move_request(progress, action)
    assert progress == "done"


def test_every_move_leads_from_a_status_to_a_status_by_an_action_that_has_a_name() -> None:
    for (progress, action), after in workflow.REQUEST_MOVES.items():
        assert {progress, after} <= workflow.REQUEST_STATUSES.keys()
        assert action in workflow.REQUEST_ACTIONS
    for (status, _action), after in workflow.VISIT_MOVES.items():
        assert {status, after} <= workflow.VISIT_STATUSES.keys()


def test_every_progress_can_be_reached_and_what_is_done_stays_done_but_for_a_mistake() -> None:
    assert {*workflow.REQUEST_MOVES.values()} == {*workflow.REQUEST_STATUSES}
    assert [action for (of, action) in workflow.REQUEST_MOVES if of == "done"] == ["miss"]


def test_what_a_person_may_not_do_is_said_in_words() -> None:
    with pytest.raises(NotAllowed, match="the request is “requested”"):
        workflow.move_request("requested", "complete")
    with pytest.raises(NotAllowed, match="the appointment is “cancelled”"):
        workflow.move_visit("cancelled", "move")


def test_only_held_and_confirmed_visits_take_time_and_none_comes_back_to_life() -> None:
    assert workflow.OCCUPYING == ("held", "confirmed")
    over = {s for s in workflow.VISIT_STATUSES if s not in workflow.OCCUPYING}
    assert not [
        1
        for (of, _a), to in workflow.VISIT_MOVES.items()
        if of in over and to in workflow.OCCUPYING
    ]
