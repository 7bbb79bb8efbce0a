"""A form that arrives after its session had ended waits, sealed, for the person who typed it."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import StaffSession, UnsentForm
from clinic.people import filling, unsent
from intake.models.submissions import Submission
from tests import builders
from tests.clinic.people import ada
from tests.desk import page_of, waiting, words

UNSENT = "/account/unsent/"
# any text that a browser can send: its line ends are CR LF, and it has no NUL and no surrogate
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=60)
TYPED = st.lists(TEXT, min_size=1, max_size=3).map("\r\n".join)


class Posted(HTMLParser):
    """Read what a browser would post for the form with this action."""

    def __init__(self, page: str, action: str):
        super().__init__()
        self.action, self.inside, self.area = action, False, ""
        self.values: list[tuple[str, str]] = []
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        has = dict(attrs)
        if tag == "form":
            self.inside = has.get("action") == self.action
        elif not self.inside:
            return
        elif tag == "textarea" and "name" in has:
            self.area = has["name"]
            self.values.append((self.area, ""))
        elif tag == "select":
            self.select = has["name"]
        elif tag == "option" and "selected" in has:
            self.values.append((self.select, has["value"]))
        elif tag == "input" and has.get("type") in ("checkbox", "radio"):
            if "checked" in has:
                self.values.append((has["name"], has["value"]))
        elif tag == "input":
            self.values.append((has["name"], has.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""
        elif tag == "form":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.area:
            name, before = self.values[-1]
            self.values[-1] = (name, before + data)

    def fields(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.values:
            # a browser drops a textarea's first line end, and sends CR LF
            text = value.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            found.setdefault(name, []).append(text)
        return found


PAGE = """<html><head><title>A < b</title></head><body>
<form method="post" action="/admin/x/decide/">
<input type="hidden" name="revision" value="7"><input name="title" value="old">
<textarea name="note">old &amp; older</textarea>
<input type="radio" name="urgency" value="1" checked><input type="radio" name="urgency" value="2">
<select name="outcome"><option value="">-<option value="book" selected>Book
<option value="call">Call</select><input type="checkbox" name="on" value="on" checked>
<button name="to" value="me">Go</button>
</form><form method="post" action="/admin/other/"><textarea name="note">kept</textarea></form>
"""


@given(
    note=TYPED,
    title=TEXT,
    urgency=st.sampled_from(["1", "2"]),
    outcome=st.sampled_from(["", "book", "call"]),
    on=st.booleans(),
    lost=st.dictionaries(st.sampled_from(["gone", "away"]), st.lists(TYPED, min_size=1)),
)
def test_every_field_comes_back_as_it_was_typed(note, title, urgency, outcome, on, lost):
    fields = {"note": [note], "title": [title], "urgency": [urgency], "outcome": [outcome], **lost}
    fields |= {"on": ["on"]} if on else {}
    posted = fields | {"revision": ["3"], "to": ["me"]}

    filled = filling.fill(PAGE, "/admin/x/", "/admin/x/decide/", posted, "<p>{left_over}</p>")

    assert filled is not None
    again = Posted(filled.page, "/admin/x/decide/").fields()
    assert {name: again.get(name, []) for name in fields if name not in lost} == {
        name: values for name, values in fields.items() if name not in lost
    }
    assert ("on" in again) == on
    assert again["revision"] == ["7"]  # the page says which version it shows
    assert {v for values in lost.values() for v in values if v} == {
        v for values in filled.left_over.values() for v in values if v
    }
    assert Posted(filled.page, "/admin/other/").fields() == {"note": ["kept"]}


def test_a_page_without_the_form_is_left_alone():
    assert filling.fill(PAGE, "/admin/x/", "/admin/gone/", {"note": ["a"]}, "") is None


def test_of_two_forms_with_one_address_the_one_that_was_sent_is_filled():
    page = "".join(
        f'<form method="post"><input type="hidden" name="id" value="{n}"><input name="note"></form>'
        for n in (1, 2)
    )
    filled = filling.fill(page, "/admin/x/?a=1", "/admin/x/", {"id": ["2"], "note": ["b"]}, "!")
    assert filled is not None
    assert filled.page.index("!") > filled.page.index('value="1"')
    assert filled.page.count('value="b"') == 1


# --- with accounts -------------------------------------------------------------------------------


@pytest.fixture
def patient(db: None) -> Submission:
    return waiting("Otto Other")


def browser(role: str = "clinician", name: str = "", client: Client | None = None) -> Client:
    return builders.sign_in(client or Client(enforce_csrf_checks=True), builders.member(role, name))


def token(page: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def open_page(client: Client, patient: Submission) -> str:
    """Open the submission page, and return the token of its forms."""
    return token(client.get(page_of(patient)))


def send(client: Client, patient: Submission, typed: str, given: str) -> Any:
    return client.post(
        page_of(patient, "decide"),
        {"note": typed, "urgency": "3", "csrfmiddlewaretoken": given, "revision": "0"},
        headers={"referer": f"http://testserver{page_of(patient)}"},
    )


def end_sessions() -> None:
    StaffSession.objects.all().delete()


@pytest.mark.parametrize("typed", ["Zoster", "Ünlü 患者 نص", "a & <b>", "x" * 4000, "💊" * 4000])
def test_what_was_typed_waits_and_fills_in_the_page_after_the_next_sign_in(patient, typed):
    client = browser()
    given = open_page(client, patient)
    end_sessions()

    over = send(client, patient, typed, given)
    assert over.status_code == 403
    assert "kept for one hour" in words(over)
    assert "/account/login/?next=%2Faccount%2Funsent%2F" in over.content.decode()
    assert typed not in over.content.decode()

    browser(client=client)
    back = client.get(UNSENT)
    assert back.headers["Location"] == f"{page_of(patient)}#unsent"
    page = client.get(page_of(patient))
    posted = Posted(page.content.decode(), page_of(patient, "decide")).fields()
    assert posted["note"] == [typed]
    assert posted["urgency"] == ["3"]
    assert "You were signed out before this was sent." in words(page)
    # nothing was sent again: the person presses the button
    assert not patient.decisions.exists()
    send(client, patient, typed, token(page))
    assert not UnsentForm.objects.exists()
    assert "You were signed out" not in words(client.get(page_of(patient)))


def test_a_colleague_in_the_same_browser_never_sees_it(patient):
    client = browser(name="ada")
    given = open_page(client, patient)
    end_sessions()
    send(client, patient, "seen by ada alone", given)
    row = UnsentForm.objects.get()

    client.cookies.pop("form")  # a sign-in gives a new token
    browser(name="bob", client=client)
    for address in (UNSENT, f"{UNSENT}{row.pk}/", f"{UNSENT}{row.pk}/copy/"):
        assert "seen by ada" not in client.get(address, follow=True).content.decode()
    client.post(f"{UNSENT}{row.pk}/", {"csrfmiddlewaretoken": open_page(client, patient)})
    assert UnsentForm.objects.filter(pk=row.pk).exists()
    assert "seen by ada" not in client.get(page_of(patient)).content.decode()


def test_an_old_tab_of_a_colleague_keeps_the_form_for_that_colleague(patient):
    client = browser(name="ada")
    given = open_page(client, patient)
    client.cookies.pop("form")
    browser(name="bob", client=client)
    open_page(client, patient)

    late = send(client, patient, "typed by ada", given)

    assert late.status_code == 403
    assert "waits for that colleague" in words(late)
    assert [row.account.username for row in UnsentForm.objects.all()] == ["ada"]


def test_an_old_tab_of_the_same_person_comes_back_filled_in(patient):
    client = browser()
    given = open_page(client, patient)
    client.cookies.pop("form")
    open_page(client, patient)

    late = send(client, patient, "typed in the other tab", given)
    assert late.headers["Location"] == UNSENT
    page = client.get(client.get(UNSENT).headers["Location"])
    assert "typed in the other tab" in page.content.decode()


@pytest.mark.parametrize("forged", ["", "AAAA", "x" * 64])
def test_a_forged_cookie_or_an_unknown_page_keeps_nothing(patient, forged):
    client = browser()
    given = open_page(client, patient)
    end_sessions()
    client.cookies["pages"] = forged

    late = send(client, patient, "two words", given)

    assert late.status_code == 403
    assert "two words" in words(late)  # to be copied, as the program knows no account
    assert not UnsentForm.objects.exists()


def test_no_password_and_no_code_is_kept(db):
    user = builders.member("clinician")
    names = ("password", "new_password1", "oldpassword", "code", "otp", "csrfmiddlewaretoken")
    fields = [(name, ["secret word"]) for name in names] + [("postal_code", ["02139"])]
    unsent.keep(account=user.pk, path="/admin/x/", page="/admin/x/", fields=fields)
    assert UnsentForm.objects.get().content["fields"] == {"postal_code": ["02139"]}


def test_it_is_gone_after_an_hour_and_an_account_keeps_twenty(db):
    user = builders.member("clinician")
    for number in range(unsent.MOST_KEPT + 3):
        unsent.keep(account=user.pk, path="/a/", page="/a/", fields=[("n", [str(number)])])
    kept = [form.content["fields"]["n"] for form in unsent.waiting(user)]
    assert kept == [[str(number)] for number in range(22, 2, -1)]
    assert not unsent.keep(account=user.pk, path="/", page="/", fields=[("n", ["x" * 300_000])])

    UnsentForm.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert unsent.waiting(user) == []
    assert unsent.prune() == unsent.MOST_KEPT


def test_when_the_form_is_gone_from_its_page_the_texts_can_be_copied(patient):
    client = browser()
    given = open_page(client, patient)
    end_sessions()
    send(client, patient, "left word at noon", given)
    Submission.objects.update(status="closed")
    browser(client=client)

    page = client.get(client.get(UNSENT).headers["Location"], follow=True)

    assert page.redirect_chain[-1][0].endswith("/copy/")
    assert "left word at noon" in words(page)
    row = UnsentForm.objects.get()
    client.post(f"{UNSENT}{row.pk}/", {"csrfmiddlewaretoken": token(page)})
    assert not UnsentForm.objects.exists()


def test_it_lies_sealed_and_the_sign_in_says_that_it_waits(db, client, enrolled):
    unsent.keep(account=enrolled.pk, path="/a/", page="/a/", fields=[("n", ["legible"])])
    assert b"legible" not in UnsentForm.objects.values_list("content", flat=True)[0].data

    ada.sign_in(client)

    page = client.get("/admin/")
    assert "What you typed is kept for an hour. Open it" in words(page)
    assert "kept for an hour" not in words(client.get("/admin/"))


def test_without_a_session_the_pages_of_a_form_ask_for_the_sign_in(db, client, enrolled):
    unsent.keep(account=enrolled.pk, path="/a/", page="/a/", fields=[("n", ["legible"])])
    row = UnsentForm.objects.get()
    for address in (UNSENT, f"{UNSENT}{row.pk}/", f"{UNSENT}{row.pk}/copy/"):
        assert client.get(address).headers["Location"].startswith("/account/login/")
        assert client.post(address).headers["Location"].startswith("/account/login/")
    assert UnsentForm.objects.exists()
