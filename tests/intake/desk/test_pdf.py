"""The sheet as PDF: one page in short, then all answers. Without WeasyPrint the print remains."""

import os
import socket
from urllib.request import OpenerDirector

import pytest

from clinic.models import Event
from intake.desk import pdf
from tests import builders
from tests.desk import page_of, words

pytestmark = pytest.mark.django_db
LEFT_OUT = (
    "The tests of the PDF were left out: no WeasyPrint, or no Pango, was found. To run them,"
    " install Pango (Debian and Ubuntu: apt-get install libpangoft2-1.0-0)."
)


@pytest.fixture
def weasyprint():
    """Skip the test without WeasyPrint, or fail if CLINIC_REQUIRE_PDF=1 is set."""
    if not pdf.is_available():
        if os.environ.get("CLINIC_REQUIRE_PDF") == "1":
            pytest.fail(LEFT_OUT)
        pytest.skip(LEFT_OUT)


@pytest.fixture
def offline(monkeypatch):
    """Fail when anything opens an address."""

    def refuse(*args, **kwargs):
        raise AssertionError("an address was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(OpenerDirector, "open", refuse)


def texts(page):
    """Return the words of a page of a PDF, before they are written."""
    boxes = page._page_box.descendants()
    return " ".join(box.text for box in boxes if hasattr(box, "text"))


def laid_out(submission, client, monkeypatch):
    """Return the document of the PDF that the page sends."""
    made, draw = [], pdf.document
    monkeypatch.setattr(pdf, "document", lambda html: made.append(draw(html)) or made[-1])
    response = client.get(page_of(submission, "pdf"))
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    return made[0]


@pytest.mark.usefixtures("weasyprint", "offline")
def test_the_first_page_of_the_pdf_is_the_summary(monkeypatch):
    submission = builders.submission({"name": "Ana Reyes"}, reason_text="It burns at night")
    client = builders.staff_client("clinician")

    first, *others = map(texts, laid_out(submission, client, monkeypatch).pages)

    for said in ("Ana Reyes", submission.reference, "It burns at night", "not examined"):
        assert said in first
    assert "All answers of" not in first
    assert "All answers of" in others[0]
    (event,) = Event.objects.filter(subject=submission.pk, action="print")
    assert event.detail == {"format": "pdf"}


@pytest.mark.usefixtures("weasyprint", "offline")
@pytest.mark.parametrize("typed", ["Ołówek ñ ß", "你好 世界", "صباح الخير", "<b>&amp;=1</b>"])
def test_words_in_any_script_are_drawn(monkeypatch, typed):
    submission = builders.submission({"name": typed}, reason_text=typed * 40)
    document = laid_out(submission, builders.staff_client("clinician"), monkeypatch)
    assert typed.split()[0][:4] in texts(document.pages[0])


@pytest.mark.usefixtures("weasyprint", "offline")
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "data:image/png;base64,AAAA", "x"]
)
def test_no_address_in_a_page_is_opened(address):
    html = f'<link rel="stylesheet" href="{address}"><p>Here</p><img src="{address}">'
    assert texts(pdf.document(html).pages[0]).strip() == "Here"


def test_without_weasyprint_the_button_is_absent_and_the_print_remains(monkeypatch):
    monkeypatch.setattr(pdf, "is_available", lambda: False)
    submission, client = builders.submission(), builders.staff_client("clinician")

    sheet, instead = (
        client.get(page_of(submission, "print")),
        client.get(page_of(submission, "pdf")),
    )

    assert "Save as PDF" not in words(sheet)
    assert words(instead) == words(sheet)
    assert Event.objects.filter(subject=submission.pk, action="print").count() == 2


def test_with_weasyprint_the_sheet_has_the_button(monkeypatch):
    monkeypatch.setattr(pdf, "is_available", lambda: True)
    submission = builders.submission()
    page = builders.staff_client("clinician").get(page_of(submission, "print"))
    assert f'href="{page_of(submission, "pdf")}"' in page.content.decode()
