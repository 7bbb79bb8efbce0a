"""Staff search for a patient by name, phone or birth date, although all of these are sealed."""

import pytest
from django.core.management import call_command

from clinic.ids import parse_reference
from intake import search
from intake.models.submissions import Submission
from intake.wording.languages import month_names
from tests import builders
from tests.desk import WORKLIST, words

pytestmark = pytest.mark.django_db


def found(text: str) -> list[str]:
    """Return the names of the matching patients, the best first, as in the staff's list."""
    term = search.read(text, month_names())
    wanted = search.query_tokens(term)
    if not wanted:
        return []
    rows = Submission.objects.matching(wanted)[: search.CANDIDATES]
    ranked = sorted((search.rank(term, row.person), row.person["name"]) for row in rows)
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


@pytest.mark.parametrize("form", ["{}", "#{}", "Ref: {}", "ref {}", "reference {}", "No. {}"])
def test_a_reference_is_found_whole_and_by_its_first_half(form):
    row = Submission.objects.first()
    client = builders.staff_client("clinician")
    for typed in (row.reference, row.reference.lower().replace("-", " "), row.reference[:4]):
        page = client.post(WORKLIST, {"q": form.format(typed)}, follow=True)
        assert row.reference in words(page)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("3/4/1984", "Read as a date of birth: 4 Mar 1984 or 3 Apr 1984."),
        ("zzyzx 3 Sep 1999", "Read as the name “zzyzx” and a date of birth: 3 Sep 1999."),
        ("617 555 0199", "Read as a phone number."),
        ("0199", "Read as the last digits of a phone number."),
        ("zzyzx", "Read as a name."),
        ("no@example.org", "Read as an e-mail address."),
        ("#ZZZZ", "Read as a reference."),
    ],
)
def test_a_search_that_finds_nothing_says_what_it_looked_for(typed, sentence):
    client = builders.staff_client("clinician")
    assert sentence in words(client.post(WORKLIST, {"q": typed}, follow=True))


# --- the release before ---------------------------------------------------------------------------


def test_rows_of_the_release_before_are_found_and_get_their_tokens_in_two_steps(settings):
    settings.OLD_SEARCH_KEYS = True
    before = {row.pk: sorted(search.before.tokens(row.person)) for row in Submission.objects.all()}
    for pk, keys in before.items():
        Submission.objects.filter(pk=pk).update(search_keys=keys)
    assert found("smyth") == ["Amara Smith"]
    assert found("jose 2/29/1984") == ["José Fernández"]

    call_command("rekey", verbosity=0)
    for row in Submission.objects.all():
        # the release before finds what it stored
        assert set(before[row.pk]) <= set(row.search_keys)
    assert found("smyth") == ["Amara Smith"]

    settings.OLD_SEARCH_KEYS = False
    call_command("rekey", verbosity=0)
    for row in Submission.objects.all():
        assert not set(before[row.pk]) & set(row.search_keys)
    assert found("smyth") == ["Amara Smith"]
    assert found("0101") == ["José Fernández"]
