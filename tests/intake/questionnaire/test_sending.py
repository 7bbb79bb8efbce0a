"""What the service of sending does, when it is called without a page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic import audit, hours, ids
from clinic.ids import parse_reference
from intake.errors import Conflict, Gone, NotReady
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import (
    Draft,
    Kind,
    ProtocolDocument,
    RuleCount,
    StatusChange,
    Submission,
    Urgency,
)
from intake.protocols import current
from intake.questionnaire import answering, drafts, sending, target_times
from tests import builders
from tests.desk import Trail

pytestmark = pytest.mark.django_db


def test_a_submission_brings_along_all_that_belongs_to_it():
    anchor, trail = audit.head(), Trail()
    submission = builders.submission(drowsy_drive="drowsy")
    assert (submission.kind, submission.status, submission.revision) == (Kind.INTAKE, "new", 0)
    assert submission.assignee is None
    assert submission.protocol_id == current().content_hash
    (step,) = StatusChange.objects.all()
    assert (step.submission_id, step.status, step.action, step.by) == (
        submission.pk,
        "new",
        "send",
        None,
    )
    assert AppointmentRequest.objects.get().submission_id == submission.pk
    assert AppointmentRequest.objects.get().progress == "requested"
    assert dict(RuleCount.objects.values_list("rule", "fired")) == {"N11": 1}
    (event,) = trail.events()
    assert (event.actor, event.action, event.subject, event.purpose) == (
        f"patient:{submission.reference}",
        "create",
        str(submission.pk),
        "PATRQT",
    )
    assert event.detail == {"kind": "intake", "urgency": "soon"}
    assert audit.verify(*anchor) == []


def test_a_reference_names_no_disease_and_can_be_read_aloud():
    references = {builders.submission().reference for _n in range(5)}
    assert len(references) == 5
    assert all(parse_reference(reference.lower()) == reference for reference in references)


def test_a_reference_that_is_taken_is_drawn_again(monkeypatch):
    taken = builders.submission().reference
    free = ids.new_reference()
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(sending, "new_reference", lambda: next(drawn))
    assert builders.submission().reference == free


def test_when_no_reference_is_free_nothing_is_stored(monkeypatch):
    taken = builders.submission().reference
    monkeypatch.setattr(sending, "new_reference", lambda: taken)
    draft, _key = builders.draft()
    with pytest.raises(Conflict):
        sending.submit(draft=draft)
    assert Submission.objects.count() == 1
    draft.refresh_from_db()
    assert draft.submission is None


def test_rules_are_counted_by_the_day_and_name_no_submission():
    for _n in range(3):
        builders.submission(drowsy_drive="drowsy")
    (count,) = RuleCount.objects.all()
    assert (count.rule, count.fired, count.day) == ("N11", 3, timezone.localdate())
    assert {f.name for f in RuleCount._meta.get_fields()} == {
        "id",
        "day",
        "rule",
        "protocol_hash",
        "fired",
        "untold",
    }


def test_a_draft_that_is_not_finished_is_not_sent():
    draft, _key = drafts.begin(kind="intake", language="en")
    with pytest.raises(NotReady) as refused:
        sending.submit(draft=draft)
    assert refused.value.step == "safety"


def test_a_draft_with_an_emergency_is_not_sent():
    draft, _key = builders.draft(em_now=("chest_or_breath",))
    with pytest.raises(NotReady) as refused:
        sending.submit(draft=draft)
    assert refused.value.step == "emergency"


def test_a_minor_alone_is_not_sent_by_any_way():
    draft, _key = builders.draft(age_years=15)
    with pytest.raises(NotReady) as refused:
        sending.submit(draft=draft)
    assert refused.value.step == "minor"


def test_the_clinic_is_not_told_where_nothing_stops():
    draft, _key = builders.draft()
    with pytest.raises(NotReady):
        sending.tell_clinic(draft=draft, phone="+12025550147", name="")


def test_a_cleared_draft_is_gone_for_every_service():
    draft, _key = builders.draft(em_now=("chest_or_breath",))
    stale = Draft.objects.get(pk=draft.pk)
    drafts.delete(draft=draft)
    page = current().page("life")
    for act in (
        lambda: sending.submit(draft=stale),
        lambda: sending.tell_clinic(draft=stale, phone="+12025550147", name=""),
        lambda: answering.retract_emergency(draft=stale),
        lambda: answering.save_page(draft=stale, page=page, values={}),
        lambda: answering.save_wish(draft=stale, wish={}),
    ):
        with pytest.raises(Gone):
            act()


@pytest.mark.parametrize("urgency", Urgency)
def test_each_urgency_has_its_target_in_time(urgency):
    at = timezone.now()
    target = target_times.target_time(current().level(urgency.code), at)
    calendar = hours.current()
    match urgency:
        case Urgency.EMERGENCY:
            assert target == at
        case Urgency.SAME_DAY:
            assert calendar.open_time_between(at, target) == timedelta(hours=2)
        case Urgency.URGENT:
            assert target == calendar.add_business_days(at, 1)
        case Urgency.SOON:
            assert target == calendar.keepable(at + timedelta(days=42))
        case Urgency.ROUTINE:
            assert target == calendar.keepable(at + timedelta(days=84))


def test_an_old_submission_reads_as_it_was_asked():
    submission = builders.submission()
    document = ProtocolDocument.objects.get(pk=submission.protocol_id)
    from intake.domain.definition import from_document

    then = from_document(bytes(document.document))
    assert then.content_hash == current().content_hash
    assert then.question("em_now").text == current().question("em_now").text


def test_idle_drafts_are_deleted_and_what_was_sent_stays(settings):
    builders.submission()
    builders.draft()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=settings.DRAFT_DAYS, minutes=1))
    fresh, _key = builders.draft()
    assert drafts.delete_idle_drafts(days=settings.DRAFT_DAYS) == 2
    assert list(Draft.objects.all()) == [fresh]
    assert Submission.objects.count() == 1
