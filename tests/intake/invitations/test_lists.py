"""A day's list: how a file is read, what is wrong with a line, and that each patient gets one."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from clinic.models import Message
from intake.invitations import csv_file, following, lists
from intake.models.invitations import Invitation, InvitationList
from tests import builders
from tests.desk import Trail
from tests.intake import book
from tests.intake.invitations.invited import PERSON, invite
from tests.intake.way_in import letters

UPLOAD = "/admin/intake/invitation/list/"
INVITATIONS = "/admin/intake/invitation/"
HEAD = "Name,Birth date,E-mail,Phone,Visit,Date,Time,Guardian"
TOMORROW = (timezone.localdate() + timedelta(days=1)).isoformat()
LINE = f"José Núñez,1984-02-29,jose@example.org,,,{TOMORROW},14:30,"
CHILD = f"{timezone.localdate().year - 9}-01-01"


def text(*lines: str) -> str:
    return "\n".join((HEAD, *lines)) + "\n"


def read(*lines: str) -> list[csv_file.Row]:
    return csv_file.read(text(*lines).encode()).rows


def keep(*lines: str) -> InvitationList:
    return lists.keep(
        found=csv_file.read(text(*lines).encode()),
        protocol="legs",
        language="en",
        by=builders.member("front desk"),
        request_id="r",
    )


def problems(batch: InvitationList) -> dict[int, str]:
    return {row["line"]: " ".join(row["problems"]) for row in batch.rows["rows"]}


# --- reading a file -------------------------------------------------------------------------------

ENCODED = {
    "utf-8": text(LINE).encode(),
    "utf-8-sig": text(LINE).encode("utf-8-sig"),
    "utf-16": text(LINE).encode("utf-16"),
    "cp1252": text(LINE).encode("cp1252"),
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_any_usual_spreadsheet_is_read(encoding, separator, ending):
    plain = text(LINE).replace(",", separator).replace("\n", ending)

    found = csv_file.read(plain.encode(encoding))

    (row,) = found.rows
    assert (found.encoding, row.problems) == (encoding, [])
    assert row.person["name"] == "José Núñez"
    assert timezone.localtime(row.visit_at).strftime("%H:%M") == "14:30"


NOT_READ = {
    "no line": (b"", "The file is empty."),
    "an Excel workbook": (b"PK\x03\x04rest", "This is an Excel workbook."),
    "a picture": (b"\x89PNG\r\n\x00\x00", "We cannot read the letters of this file."),
    "no column of names": (b"a,b\n1,2\n", "The first line must name the columns."),
    "two columns of names": (b"name,patient,dob\n", "Two columns are called"),
    "an open quote": (text('"Ann').encode(), "A quotation mark in the file is not closed."),
    "10,000 rows": (text(*[LINE] * 10_000).encode(), "The file has 10,000 rows."),
}


@pytest.mark.parametrize("case", NOT_READ)
def test_a_file_that_is_no_list_gets_a_sentence(case):
    data, sentence = NOT_READ[case]

    with pytest.raises(csv_file.NotReadable, match=sentence.split("“")[0]):
        csv_file.read(data)


LINES = {
    "a formula for a name": ("=cmd|' /C calc'!A0,1984-02-29,a@example.org", "like a formula"),
    "a sign for a name": ("@SUM(A1),1984-02-29,a@example.org", "like a formula"),
    "a formula for an address": ("Ann Lee,1984-02-29,-a@example.org", "like a formula"),
    "no name": (",1984-02-29,a@example.org", "“name” is missing."),
    "no date": ("Ann Lee,,a@example.org", "“birth date” is missing."),
    "a date of no calendar": ("Ann Lee,1984-02-30,a@example.org", "birth date:"),
    "a date to come": ("Ann Lee,2184-02-28,a@example.org", "This date of birth cannot be right."),
    "an address without a sign": ("Ann Lee,1984-02-29,example.org", "Check the e-mail address"),
    "a phone that is none": ("Ann Lee,1984-02-29,,12", "phone:"),
    "too many cells": ("Ann Lee,1984-02-29,a@example.org,,,,,,more", "more cells"),
    "a visit that has begun": (
        "Ann Lee,1984-02-29,a@example.org,,,2020-01-02,10:00",
        "This visit has begun already.",
    ),
    "a time without a date": ("Ann Lee,1984-02-29,a@example.org,,,,10:00", "A time needs a date."),
    "a time of no clock": (
        f"Ann Lee,1984-02-29,a@example.org,,,{TOMORROW},half past",
        "Write the time like 14:30",
    ),
    "a guardian without a relation": (
        f"Ann Lee,{CHILD},a@example.org,,,,,Maria Lopez",
        "Write the guardian like",
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_each_slip_of_a_line_has_a_sentence(case):
    line, sentence = LINES[case]

    (row,) = read(line)

    assert sentence in " ".join(row.problems)


def test_a_phone_number_may_begin_with_plus_and_dates_and_times_as_americans_write_them():
    visit = timezone.localdate() + timedelta(days=2)
    row, other = read(
        f"Ann Lee,2/29/1984,,+1 202 555 0147,,{visit:%m/%d/%Y},2:30 PM",
        f'Ann Lee,"February 29, 1984",,202-555-0147,{visit} 09:15',
    )

    assert row.problems == other.problems == []
    assert row.person == other.person
    assert timezone.localtime(row.visit_at).strftime("%H:%M") == "14:30"
    assert timezone.localtime(other.visit_at).strftime("%H:%M") == "09:15"


# --- what stands against a line -------------------------------------------------------------------


@pytest.mark.django_db
def test_doubles_children_and_open_invitations_are_left_out_and_told():
    invite(days=3)
    born = PERSON["birth_date"]

    batch = keep(
        "Ann Lee,1984-02-29,ann@example.org",
        "ANN  LEE,2/29/1984,other@example.org",
        f"Tim Lee,{CHILD},ann@example.org",
        f"Tom Lee,{CHILD},ann@example.org,,,,,Ann Lee (mother)",
        "Nick Lee,1984-02-29",
        f"quentin canary,{born},q@example.org,,{Invitation.objects.get().visit_at:%Y-%m-%d %H:%M}",
    )

    found = problems(batch)
    assert found[2] == found[5] == ""
    assert found[3] == "Line 2 has this patient already."
    assert "under 18" in found[4]
    assert "no safe way" in found[6]
    assert batch.rows["rows"][3]["guardian"] == {"name": "Ann Lee", "relation": "mother"}


@pytest.mark.django_db
def test_a_reference_ties_the_line_to_the_visit_of_the_same_patient(lee):
    visit = book.booked(book.patient())
    person, reference = visit.submission.person, visit.submission.reference

    right = keep(f"{person['name']},{person['birth_date']},,,{reference}")
    wrong = keep(f"Ann Lee,1984-02-29,ann@example.org,,{reference}")

    assert problems(right) == {2: ""}
    assert "belongs to another patient" in problems(wrong)[2]
    lists.send(batch=right, by=builders.member("front desk"), request_id="r")
    assert Invitation.objects.get().appointment == visit


# --- the pages ------------------------------------------------------------------------------------


def upload(client, data: bytes):
    given = {"protocol": "legs", "language": "en", "file": SimpleUploadedFile("list.csv", data)}
    return client.post(UPLOAD, given, follow=True)


@pytest.mark.django_db
def test_the_desk_looks_first_confirms_once_and_each_patient_gets_one_letter(desk):
    trail = Trail()
    page = upload(desk, ENCODED["cp1252"] + b"Tim,,\n")
    shown = page.content.decode()

    assert "Windows-1252" in shown
    assert "José Núñez" in shown
    assert "“birth date” is missing." in shown
    assert not Invitation.objects.exists()
    address = page.redirect_chain[-1][0]
    for _click in range(2):
        page = desk.post(address, follow=True)

    assert "This list was sent already" in page.content.decode()
    assert len(letters()) == Invitation.objects.count() == Message.objects.count() == 1
    assert InvitationList.objects.get().rows is None
    assert [
        event.detail["count"]
        for event in trail.events(action="list")
        if event.detail.get("count") == 2
    ]


@pytest.mark.django_db
def test_a_wrong_file_comes_back_with_its_sentence(desk):
    page = upload(desk, b"PK\x03\x04")

    assert page.status_code == 422
    assert "This is an Excel workbook." in page.content.decode()
    assert not InvitationList.objects.exists()


@pytest.mark.django_db
def test_the_rows_are_sealed_and_deleted_when_nobody_sends_them():
    batch = keep("Ann Lee,1984-02-29,ann@example.org")
    with connection.cursor() as cursor:
        cursor.execute("select rows from intake_invitationlist")
        assert b"Ann" not in bytes(cursor.fetchone()[0])
    InvitationList.objects.update(created_at=timezone.now() - timedelta(days=2))

    following.forget(days=7)

    assert not InvitationList.objects.filter(pk=batch.pk).exists()
