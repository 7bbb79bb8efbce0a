"""What a patient answers for the chart reaches the front desk, once, and a correction counts."""

from typing import Any

import pytest
from django.utils.html import escape
from hypothesis import given
from hypothesis import settings as examples_of
from hypothesis import strategies as st

from intake import protocols
from intake.chart import details
from intake.chart.block import LABELS, block
from intake.domain.answers import clean_answer
from intake.domain.typed_text import as_key
from intake.domain.wrong_answers import InvalidAnswer
from intake.errors import Conflict
from intake.models.chart import ChartDetails
from intake.models.submissions import Kind, Submission
from intake.questionnaire import part_2, sending
from intake.questionnaire.drafts import walk_of
from tests import builders
from tests.desk import Trail, desk_page_of, page_of, words
from tests.examples import examples
from tests.intake.desk.test_export import exported, table

pytestmark = pytest.mark.django_db

ASKED = protocols.load("legs").uses.chart_names
CARD = {
    "payer": "Example Health Plan",
    "member_number": "ECX 100 200",
    "referring_doctor": "Dr. Finch, Exampletown",
    "pharmacy": "Corner Drugs, 5 Example Street",
}
TYPED = {
    "payer": "Canary Mutual",
    "member": "CM-4410",
    "doctor": "Dr. Wren",
    "pharmacy": "",
    "chart_number": "00-7713",
}


def answered(first: Submission, **card: str) -> Submission:
    """Send part 2 of a submission with these answers for the chart. Returns part 2."""
    draft, _key = part_2.begin(submission=first, language="en")
    told = draft.content["answers"] | {"em_now": ["none"], "family_rls": "no", "habits": ["none"]}
    draft.content = draft.content | {"answers": told | card}
    steps = walk_of(draft).steps
    draft.content = draft.content | {"visited": list(steps)}
    draft.save()
    return sending.submit(draft=draft)


def known(submission: Submission) -> dict[str, str]:
    row = details.newest_of(submission)
    return dict(row.details) if row else {}


def lines(submission: Submission) -> list[str]:
    return block(submission, known(submission)).splitlines()


def store(client: Any, row: Submission, **more: str) -> Any:
    return client.post(desk_page_of(row, "chart"), {**TYPED, "seen": "", **more})


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


# --- what arrives --------------------------------------------------------------------------------

LINE = st.text(st.characters(codec="utf-8"), max_size=130)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(CARD, LINE)), st.data())
@examples_of(max_examples=examples(60))
def test_whatever_is_taken_stands_on_one_line_of_the_block_and_a_correction_wins(said, data):
    person = Submission(reference="ABCD-2345", person=builders.CONTACT_DETAILS)
    protocol, taken = protocols.load("legs"), {}
    for id, typed in said.items():
        try:
            value = clean_answer(protocol.question(id), [typed])
        except InvalidAnswer:
            continue
        if value is not None:
            taken[ASKED[id]] = value
    for stored in (taken, taken | {"payer": "Corrected"}):
        shown = block(person, stored).split("\n")
        assert shown[0] == "Name: Quentin Canary"
        assert shown[-1] == "Reference: ABCD-2345"
        assert shown[4:-1] == [f"{LABELS[n]}: {stored[n]}" for n in details.NAMES if n in stored]


@pytest.mark.parametrize(
    "said", [CARD, {"payer": "Example Health Plan"}, {"pharmacy": "药房"}, {}], ids=len
)
def test_what_part_2_says_reaches_the_desk_and_the_clinician(said, desk):
    row = builders.submission()
    answered(row, **said)
    for client, page in (
        (desk, desk_page_of(row)),
        (desk, desk_page_of(row, "chart")),
        (builders.staff_client(), page_of(row, "chart")),
    ):
        text = words(client.get(page))
        for id, value in said.items():
            assert f"{LABELS[ASKED[id]]}: {value}" in text
    assert ChartDetails.objects.count() == bool(said)


def test_a_blank_question_changes_nothing_that_the_desk_knows(desk):
    row = builders.submission()
    store(desk, row)
    second = answered(row, payer="Example Health Plan", member_number="٤٤١٠")
    now = TYPED | {"payer": "Example Health Plan", "member": "4410"}
    assert known(row) == known(second) == {name: text for name, text in now.items() if text}
    who = words(desk.get(desk_page_of(row, "chart"))).partition("Who gave them")[2]
    assert who.index("the patient") < who.index("front-desk")


# --- what the desk corrects ----------------------------------------------------------------------


def test_the_desk_corrects_and_the_trail_names_the_fields_and_no_word(desk):
    row, trail = builders.submission(), Trail()
    answered(row, **CARD)
    seen = details.version_of(details.newest_of(row))
    answer = store(desk, row, seen=seen)
    assert answer.status_code == 302
    assert lines(row)[4:-1] == [
        "Insurance: Canary Mutual",
        "Member number: CM-4410",
        "Referring doctor: Dr. Wren",
        "Chart number: 00-7713",
    ]
    (event,) = [each for each in trail.of(answer) if each.detail.get("kind") == "chart"]
    assert event.detail["fields"] == list(details.NAMES)
    assert "Canary" not in str(event.detail)
    # the answers of the patient stay as they were sent
    assert Submission.objects.get(kind=Kind.PART_2).answers["payer"] == "Example Health Plan"


def test_the_second_of_two_is_told_and_keeps_what_was_typed(desk):
    row = builders.submission()
    store(desk, row)
    page = store(desk, row, payer="Other Plan")
    assert page.status_code == 409
    assert "These details were changed while you had them open." in words(page)
    assert "Insurance: Canary Mutual" in words(page)
    assert 'value="Other Plan"' in page.content.decode()
    seen = details.version_of(details.newest_of(row))
    assert f'value="{seen}"' in page.content.decode()
    assert store(desk, row, payer="Other Plan", seen=seen).status_code == 302
    # a double click, and nothing new
    assert "Nothing was changed." in words(desk.get(store(desk, row, payer="Other Plan").url))
    assert ChartDetails.objects.count() == 2


def test_the_service_refuses_an_old_mark_and_unknown_names():
    row, by = builders.submission(), builders.member("front desk")
    with pytest.raises(ValueError, match="no detail"):
        details.correct(submission=row, details={"x": "1"}, seen="", by=by, request_id="r")
    with pytest.raises(Conflict):
        details.correct(submission=row, details=TYPED, seen="another", by=by, request_id="r")


# --- bad input -----------------------------------------------------------------------------------

BAD = [
    ("A\x07B", "characters"),
    ("x" * 500, "120"),
]
ODD = [
    ("药房 中央", "药房 中央"),
    ("  Corner\u200b   Drugs ", "Corner Drugs"),
    ("Corner\nDrugs\t5", "Corner Drugs 5"),
    ("صيدلية", "صيدلية"),
    ("<b>Drugs</b>", "<b>Drugs</b>"),
]


@pytest.mark.parametrize(("typed", "told"), BAD)
@pytest.mark.parametrize("name", details.NAMES)
def test_a_bad_value_is_said_by_its_field_and_all_is_kept(typed, told, name, desk):
    row = builders.submission()
    page = store(desk, row, **{name: typed})
    assert page.status_code == 422
    assert f'id="id_{name}_error"' in page.content.decode()
    assert told in words(page)
    other = "payer" if name != "payer" else "member"
    assert f'value="{TYPED[other]}"' in page.content.decode()
    assert not ChartDetails.objects.exists()


@pytest.mark.parametrize(("typed", "stored"), ODD)
def test_other_scripts_and_signs_are_kept_on_one_line(typed, stored, desk):
    row = builders.submission()
    assert store(desk, row, pharmacy=typed).status_code == 302
    assert f"Pharmacy: {stored}" in lines(row)
    asked = protocols.load("legs").question("pharmacy")
    assert clean_answer(asked, [typed]) == stored
    assert escape(f"Pharmacy: {stored}") in desk.get(desk_page_of(row)).content.decode()


@pytest.mark.parametrize("typed", ["٤٤١٠", "４４１０", "4\u200b410"])
def test_numbers_are_stored_as_other_programs_take_them(typed, desk):
    row = builders.submission()
    store(desk, row, member=typed, chart_number=typed)
    assert known(row)["member"] == known(row)["chart_number"] == as_key(typed) == "4410"


# --- who may see and change ----------------------------------------------------------------------


def test_a_clinician_reads_and_changes_nothing():
    row, clinician = builders.submission(), builders.staff_client()
    page = clinician.get(page_of(row, "chart"))
    assert "Correct the details" not in words(page)
    assert clinician.post(page_of(row, "chart"), TYPED).status_code == 403
    assert f'href="{page_of(row, "chart")}"' in clinician.get(page_of(row)).content.decode()


def test_an_export_without_names_leaves_the_member_number_out():
    answered(builders.submission(), **CARD)
    assert CARD["member_number"] not in exported(parts=["own_words", "private", "notes"])
    rows = table(exported(parts=["identity"]))
    assert any(CARD["member_number"] in row.values() for row in rows)
