"""Staff search for a patient by name, phone or birth date, although all of these are sealed."""

import pytest

from clinic.ids import parse_reference
from intake import search
from intake.models.submissions import Submission
from intake.wording.languages import month_names
from tests import builders

pytestmark = pytest.mark.django_db


def found(text: str) -> list[str]:
    """Return the names of the matching patients, the best first, as in the staff's list."""
    months = month_names()
    wanted = search.query_tokens(text, months)
    if not wanted:
        return []
    rows = Submission.objects.matching(wanted)[: search.CANDIDATES]
    ranked = sorted((search.rank(text, row.person, months), row.person["name"]) for row in rows)
    return [name for rank, name in ranked if rank < 3]


@pytest.fixture(autouse=True)
def _patients():
    people = [
        ("José Fernández", "+12025550101", "1984-02-29", "jose.fernandez@example.org"),
        ("Siobhán O’Brien", "+12025550102", "1950-12-01", "Siobhan@Example.org"),
        ("Amara Smith", "+442079460018", "1999-06-05", ""),
        ("Ana García-Lopez", "+12025550104", "1972-11-30", ""),
        ("Jürgen Groß", "+12025550105", "1966-01-02", ""),
    ]
    for name, phone, born, email in people:
        contact = {"name": name, "callback_phone": phone, "birth_date": born, "email": email}
        builders.submission(contact)
    builders.submission(
        {"name": "Noah Young", "proxy_name": "Ruth Young", "birth_date": "2012-03-04"}
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("jose", ["José Fernández"]),
        ("JOSÉ FERNANDEZ", ["José Fernández"]),
        ("fernandez jose", ["José Fernández"]),
        ("obrien", ["Siobhán O’Brien"]),
        ("O'Brien", ["Siobhán O’Brien"]),
        ("o’brien siobhan", ["Siobhán O’Brien"]),
        ("smyth", ["Amara Smith"]),
        ("Smith", ["Amara Smith"]),
        ("garcia", ["Ana García-Lopez"]),
        ("lopez", ["Ana García-Lopez"]),
        ("ana garcia-lopez", ["Ana García-Lopez"]),
        ("gross", ["Jürgen Groß"]),
        ("fer", ["José Fernández"]),
        ("ruth", ["Noah Young"]),
    ],
)
def test_a_name_is_found_however_it_is_typed(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("+12025550101", ["José Fernández"]),
        ("202-555-0101", ["José Fernández"]),
        ("(202) 555 0101", ["José Fernández"]),
        ("1 202 555 0101", ["José Fernández"]),
        ("2025550102", ["Siobhán O’Brien"]),
        ("+44 20 7946 0018", ["Amara Smith"]),
        ("442079460018", ["Amara Smith"]),
    ],
)
def test_a_phone_number_is_found_with_and_without_its_country(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1984-02-29", ["José Fernández"]),
        ("2/29/1984", ["José Fernández"]),
        ("02/29/1984", ["José Fernández"]),
        ("12/1/1950", ["Siobhán O’Brien"]),
        ("1.12.1950", ["Siobhán O’Brien"]),
        ("19501201", ["Siobhán O’Brien"]),
        ("December 1, 1950", ["Siobhán O’Brien"]),
        ("1 dic 1950", ["Siobhán O’Brien"]),
        ("29 de febrero de 1984", ["José Fernández"]),
        ("Feb 29 1984", ["José Fernández"]),
        ("\u20682/29/1984\u2069", ["José Fernández"]),
        ("5/6/1999", ["Amara Smith"]),
        ("6-5-1999", ["Amara Smith"]),
        ("february 1984", []),
        ("13/13/1984", []),
    ],
)
def test_a_birth_date_is_found_however_it_is_typed(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    "text", ["siobhan@example.org", "SIOBHAN@EXAMPLE.ORG", " Siobhan@Example.org "]
)
def test_an_email_is_found_in_any_case(text):
    assert found(text) == ["Siobhán O’Brien"]


@pytest.mark.parametrize(
    "text",
    [
        "zzyzx",
        "jose smith",
        "202-555-9999",
        "1984-02-28",
        "2/30/1984",
        "nobody@example.org",
        "",
        "   ",
        "!!!",
        "%",
        "'; drop table intake_submission; --",
        "x" * 10_000,
        "\u202e",
    ],
)
def test_who_is_unknown_is_not_found(text):
    assert found(text) == []


def test_the_exact_name_comes_first():
    builders.submission({"name": "Amara Smithers"})
    builders.submission({"name": "Amara Smyth"})
    assert found("amara smith")[:2] == ["Amara Smith", "Amara Smithers"]


def test_answers_are_not_searched():
    builders.submission(reason_text="creeping quicksilver feeling", meds_list="lisinopril")
    assert found("quicksilver") == found("lisinopril") == found("restless") == []


def test_tokens_tell_nothing_without_the_key():
    (row,) = [s for s in Submission.objects.all() if s.person["name"] == "Amara Smith"]
    assert row.search_keys == search.tokens(row.person)
    assert all(isinstance(token, int) for token in row.search_keys)


def test_the_audit_keeps_a_term_as_a_number():
    assert search.blinded_term("José Fernández") == search.blinded_term("jose fernandez")
    assert search.blinded_term("jose") != search.blinded_term("ana")


def test_a_reference_is_recognised_however_it_is_read_out():
    reference = Submission.objects.first().reference
    assert parse_reference(reference) == reference
    assert parse_reference(f" {reference.lower().replace('-', ' ')} ") == reference
    assert parse_reference("jose") is None
