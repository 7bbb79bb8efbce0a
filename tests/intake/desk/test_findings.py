"""Clinicians record what they found, see its course, and correct it by a new row."""

import json
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Event
from intake import protocols
from intake.desk import findings
from intake.desk.finding_forms import FindingForm, number_of
from intake.desk.findings import FindingInput
from intake.domain.findings import ALSO
from intake.models.findings import Finding
from tests import builders
from tests.desk import page_of
from tests.examples import examples
from tests.trail import sql

pytestmark = pytest.mark.django_db
SCALES = protocols.scales()
TODAY = timezone.localdate()


@pytest.fixture
def licensed(settings):
    settings.IRLS_LICENSED = True


def typed(scale, *, leg="L", **parts):
    """Return what a clinician posts for a scale: by default its first option or lowest number."""
    posted = {"on": TODAY.isoformat(), "note": ""} | ({"leg": leg} if scale.legs else {})
    for part in (part for part in scale.parts if part.required):
        posted[part.id] = part.options[0].code if part.options else str(part.low)
    return posted | parts


def store(client, submission, scale, **parts):
    page = f"{page_of(submission, 'findings')}?add={scale.id}"
    return client.post(page, typed(scale, **parts))


def shown(client, submission):
    return unescape(client.get(page_of(submission)).content.decode())


@pytest.mark.parametrize("name", SCALES)
def test_each_scale_is_recorded_and_stands_on_the_submission_page(name, licensed):
    clinician, submission, scale = (
        builders.staff_client("clinician"),
        builders.submission(),
        SCALES[name],
    )

    assert store(clinician, submission, scale).status_code == 302

    (course,) = findings.courses_of(submission)
    page = shown(clinician, submission)
    assert course.name in page
    assert course.newest.words in page
    made = Event.objects.filter(subject=submission.pk, action="create")
    assert made.filter(actor__startswith="staff:").count() == 1


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"index": "3.01"}, "“3.01” is no number from 0.00 to 3.00."),
        ({"index": "0.955"}, "“0.955” is no number from 0.00 to 3.00."),
        ({"index": "high"}, "“high” is no number from 0.00 to 3.00."),
        ({"index": ""}, "Enter a number from 0.00 to 3.00."),
        ({"index": "0.9", f"index-{ALSO}": "on"}, "Enter a number, or tick the box, not both."),
        ({"on": (TODAY + timedelta(days=1)).isoformat()}, "This day is in the future."),
        ({"on": "1899-01-01"}, "This day is too long ago."),
        ({"note": "x" * 501}, "The note has 501 letters; at most 500 can be stored."),
        ({"leg": "both"}, "Select a valid choice."),
    ],
)
def test_a_wrong_value_is_named_beside_what_was_typed_and_nothing_is_stored(parts, said):
    clinician, submission = builders.staff_client("clinician"), builders.submission()

    response = store(clinician, submission, SCALES["abi"], **{"note": "left arm used", **parts})

    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert said in page
    assert parts.get("note", "left arm used")[:20] in page
    assert not Finding.objects.exists()


def test_a_box_takes_the_place_of_the_number():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    store(clinician, submission, SCALES["abi"], index="", **{f"index-{ALSO}": "on"})
    (course,) = findings.courses_of(submission)
    assert course.newest.words == "not compressible"


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
@given(typed=st.decimals(-5, 60, places=3).map(str) | st.text(max_size=6))
@settings(max_examples=examples(60))
def test_a_number_is_stored_within_its_span_or_refused(scale, typed):
    for part in (part for part in scale.parts if not part.options):
        try:
            number = number_of(part, typed)
        except ValueError:
            continue
        assert part.low <= number <= part.high
        assert number == number_of(part, str(number)) == Decimal(str(number))
        assert part.words(str(number)).startswith(str(number))


def test_a_correction_takes_the_place_of_the_wrong_row_which_stays_stored():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    store(clinician, submission, SCALES["vcss"], total="12")
    wrong = Finding.objects.get()
    page = f"{page_of(submission, 'findings')}?correct={wrong.pk}"
    assert 'value="12"' in clinician.get(page).content.decode()

    assert clinician.post(page, typed(SCALES["vcss"], total="21")).status_code == 302

    (course,) = findings.courses_of(submission)
    assert [each.words for each in course.found] == ["21"]
    assert Finding.objects.count() == 2

    # an old tab corrects what a colleague has corrected
    late = builders.staff_client("duty").post(page, typed(SCALES["vcss"], total="7"))
    said = unescape(late.content.decode())
    assert late.status_code == 409
    assert "A colleague has corrected this finding already" in said
    assert 'value="7"' in said
    assert Finding.objects.count() == 2


def test_a_finding_of_the_wrong_patient_is_taken_back():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    store(clinician, submission, SCALES["vcss"], total="12")
    page = f"{page_of(submission, 'findings')}?correct={Finding.objects.get().pk}"

    assert (
        clinician.post(page, {"take_back": "on", "total": "", "note": "wrong chart"}).status_code
        == 302
    )

    assert findings.courses_of(submission) == []
    assert Finding.objects.last().content["note"] == "wrong chart"


def test_two_presses_store_one_finding():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    for _press in range(2):
        assert store(clinician, submission, SCALES["ceap"]).status_code == 302
    assert Finding.objects.count() == 1


def test_the_course_is_drawn_over_time_for_each_leg(rf):
    submission, clinician = builders.submission(), builders.member("clinician")
    for days, leg, total in ((60, "L", "20"), (30, "L", "12"), (0, "L", "4"), (0, "R", "3")):
        given = FindingInput(
            scale="villalta", leg=leg, on=TODAY - timedelta(days=days), value={"total": total}
        )
        findings.record(submission=submission, given=given, by=clinician, request_id="r")

    left, right = findings.courses_of(submission)
    assert left.newest.words == "4 (none)"
    assert left.found[0].words == "20 (severe)"
    heights = [float(point.split(",")[1]) for point in left.points.split()]
    assert heights == sorted(heights)
    assert len(heights) == 3
    assert right.points == ""


def test_a_protocol_names_the_scales_that_are_offered_first(settings):
    first, others = findings.offered_for(builders.submission())
    names = [scale.id for scale in (*first, *others)]
    assert first
    assert sorted(names) == sorted(set(SCALES) - {"irls"})
    settings.IRLS_LICENSED = True
    assert "irls" in [scale.id for scale in findings.offered_for(builders.submission())[0]]


def test_an_unlicensed_scale_has_no_form():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    response = store(clinician, submission, SCALES["irls"])
    assert response.status_code == 200
    assert not Finding.objects.exists()


def test_the_table_names_no_scale_and_no_value():
    clinician, submission = builders.staff_client("clinician"), builders.submission()
    store(clinician, submission, SCALES["rutherford"], grade="chronic-4")
    ((raw,),) = sql("select content from intake_finding")
    details = Event.objects.filter(subject=submission.pk).values_list("detail", flat=True)
    for stored in (bytes(raw), json.dumps(list(details)).encode()):
        assert b"rutherford" not in stored
        assert b"chronic" not in stored


def test_every_scale_has_a_form_that_corrects_it():
    for scale in SCALES.values():
        wrong = Finding(content=FindingInput(scale=scale.id, on=TODAY, value={}).content())
        assert FindingForm(scale=scale, wrong=wrong).as_p()
