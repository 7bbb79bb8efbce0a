"""Pictures: each has a description in words, is a real image, and has an address of its own."""

import re
import struct
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.ids import uuid7
from education import image_format
from education.models import Page, Picture
from education.services import pictures
from tests import builders
from tests.desk import Trail, cells, words
from tests.education import desk
from tests.education.browser import at
from tests.education.samples import png

ADD = "/admin/education/picture/add/"
LIST = "/admin/education/picture/"
JPEG = (
    b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9
    + b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 30, 40, 1) + b"\0\0\0"
)  # fmt: skip
_FILE = b"RIFF\0\0\0\0WEBP"
LOSSY = _FILE + b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 40, 30)
LOSSLESS = _FILE + b"VP8L\0\0\0\0\x2f" + struct.pack("<I", 39 | 29 << 14)
EXTENDED = _FILE + b"VP8X\0\0\0\0\0\0\0\0" + b"\x27\0\0" + b"\x1d\0\0"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def editor(db) -> Client:
    return builders.sign_in(Client(), desk.editor())


def upload(client: Client, data: bytes, **fields: str):
    form = {"slug": "knee", "alt": "A knee, bent", **fields}
    # the program ignores the media type that the browser names
    return client.post(ADD, form | {"file": SimpleUploadedFile("x.svg", data, "image/svg+xml")})


def knee() -> Picture:
    return pictures.add(slug="knee", alt="A knee, bent", data=png(), by=desk.editor())


# --- which files are pictures ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (png(40, 30), ("png", 40, 30)),
        (JPEG, ("jpeg", 40, 30)),
        (LOSSY, ("webp", 40, 30)),
        (LOSSLESS, ("webp", 40, 30)),
        (EXTENDED, ("webp", 40, 30)),
    ],
)
def test_a_picture_is_known_by_its_bytes(data, found):
    assert image_format.read(data) == found


@pytest.mark.parametrize(
    "data",
    [b"", SVG, b"GIF89a" + b"\0" * 20, png(5000, 1), JPEG[:20], LOSSY[:24], EXTENDED[:29]],
)
def test_what_is_none_or_too_large_is_refused(data):
    with pytest.raises(image_format.UnknownFormat):
        image_format.read(data)
    with pytest.raises(image_format.UnknownFormat):
        image_format.read(png() + b"\0" * image_format.MAX_BYTES)


@pytest.mark.parametrize(
    "data",
    [
        png(more=b"iTXtXML:com.adobe.xmp\0\1\0\0\0packed"),
        png(more=b"zTXtRaw profile type exif\0\0packed"),
        JPEG[:20] + b"\xff\xe1\0\x20http://ns.adobe.com/xap/1.0/\0x" + JPEG[20:],
        JPEG[:20] + b"\xff\xed\0\x12Photoshop 3.0\0xx" + JPEG[20:],
        EXTENDED + b"XMP \4\0\0\0<x/>",
    ],
)
def test_where_it_was_taken_may_be_hidden_in_other_ways_than_one(data):
    with pytest.raises(image_format.HiddenData):
        image_format.read(data)


STARTS = st.sampled_from([png()[:24], JPEG[:20], b"\xff\xd8\xff", LOSSY[:20], LOSSLESS[:20], _FILE])


@given(STARTS, st.binary(max_size=60))
def test_whatever_bytes_come_the_answer_is_a_picture_or_a_refusal(start, rest):
    try:
        found = image_format.read(start + rest)
    except image_format.UnknownFormat:
        return
    assert found.kind in image_format.KINDS
    assert 0 < found.width <= image_format.MAX_SIDE


# --- adding a picture -----------------------------------------------------------------------------


def test_an_editor_adds_a_picture_and_it_is_written_down(editor):
    trail = Trail()
    answer = upload(editor, png(40, 30))

    assert answer.status_code == 302
    picture = Picture.objects.get()
    assert (picture.slug, picture.kind, picture.width, picture.height) == ("knee", "png", 40, 30)
    [event] = trail.of(answer)
    assert (event.action, event.subject) == ("create", str(picture.pk))
    shown = editor.get(LIST)
    assert "![](picture:knee)" in words(shown)
    assert picture.get_absolute_url() in shown.content.decode()


@pytest.mark.parametrize(
    ("data", "fields", "sentence"),
    [
        (SVG, {}, "Choose a PNG, JPEG or WebP picture"),
        (png() + b"\0" * 300_000, {}, "Choose a PNG, JPEG or WebP picture"),
        (png(more=b"eXIfhere"), {}, "This picture contains hidden data"),
        (b"", {}, "This file is empty."),
        (png(), {"alt": "  "}, "Describe what the picture shows."),
        (png(), {"slug": "My Knee"}, "Use only small letters, digits and hyphens."),
    ],
)
def test_what_is_no_picture_for_a_page_is_said(editor, data, fields, sentence):
    answer = upload(editor, data, **fields)

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert 'value="knee"' in answer.content.decode() or "slug" in fields
    assert not Picture.objects.exists()


def test_a_name_is_given_once(editor):
    knee()
    answer = upload(editor, png(3, 3))

    assert answer.status_code == 422
    assert "There is a picture with this name" in words(answer)


def test_far_too_much_is_refused_at_the_door_and_elsewhere_no_file_is_taken(editor):
    assert upload(editor, png() + b"\0" * 400_000).status_code == 413
    other = SimpleUploadedFile("x.png", png(), "image/png")
    assert editor.post("/admin/education/page/add/", {"file": other}).status_code == 400
    broken = b'--x\r\nContent-Disposition: form-data; name="alt"\r\n\r\n\xff\r\n--x--\r\n'
    assert editor.post(ADD, broken, "multipart/form-data; boundary=x").status_code == 400


def test_a_picture_without_words_is_refused_by_the_database_itself(db):
    knee()
    for words_of_it in ("", "  \n"):
        with pytest.raises(IntegrityError, match="picture_has_words"), transaction.atomic():
            Picture.objects.update(alt=words_of_it)


# --- showing a picture ----------------------------------------------------------------------------


def test_a_page_shows_the_picture_with_its_words_and_sides(pages):
    picture, page = knee(), pages["knees/creaking"]
    body = "![](picture:knee)\n\n![Mine](picture:knee) ![No](picture:other) [1, 2]"
    desk.change(page, sections=(desk.section("", body),))

    body = Client().get(page.get_absolute_url()).content.decode()

    start = f'<img src="{picture.get_absolute_url()}" alt='
    assert f'{start}"A knee, bent" width="2" height="1" loading="lazy">' in body
    assert f'{start}"Mine" width' in body
    assert body.count(start) == 2


def test_a_page_without_pictures_asks_for_none(pages, django_assert_num_queries):
    path = pages["knees/creaking"].get_absolute_url()
    Client().get(path)
    with django_assert_num_queries(2):
        Client().get(path)


def test_a_picture_that_is_not_there_is_a_problem_beside_the_page(pages, editor):
    page = pages["knees/creaking"]
    desk.change(page, sections=(desk.section("", "![x](picture:gone) [1, 2]"),))
    said = "A picture is not among ours introduction: picture:gone"

    assert said in words(editor.get(at(page)))
    pictures.add(slug="gone", alt="Back", data=png(), by=desk.editor())
    assert said not in words(editor.get(at(page)))


def test_the_bytes_are_kept_for_long_and_believed_to_be_nothing_else(db):
    picture = knee()
    answer = Client().get(picture.get_absolute_url())

    assert answer.content == png()
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "max-age=31536000" in answer["Cache-Control"]
    assert "immutable" in answer["Cache-Control"]
    assert not answer.cookies
    for wrong in (f"/pictures/{picture.hash}.jpeg", f"/pictures/{'0' * 64}.png", "/pictures/x.y"):
        assert Client().get(wrong).status_code == 404


# --- changing the words ---------------------------------------------------------------------------


def words_at(picture: Picture) -> str:
    return f"{LIST}{picture.pk}/change/"


def test_an_editor_changes_the_words_and_readers_see_them_at_once(pages, editor):
    picture, page = knee(), pages["knees/creaking"]
    text = "![](picture:knee) ![Mine](picture:knee) [1, 2]"
    desk.change(page, sections=(desk.section("", text),))
    Page.objects.update(shown_at=timezone.now() - timedelta(hours=1))
    before = Client().get(page.get_absolute_url())
    opened = editor.get(words_at(picture))
    assert "A knee, bent" in opened.text
    assert f'src="{picture.get_absolute_url()}"' in opened.text
    assert "Creaking knees" in words(opened)
    trail = Trail()

    answer = editor.post(words_at(picture), {"alt": " A knee, straight "}, follow=True)

    assert "Readers see them at once" in words(answer)
    assert cells(answer, "alt") == ["A knee, straight"]
    [event] = trail.events(action="update")
    assert event.subject == str(picture.pk)
    assert event.detail == {"page": "picture", "ids": [str(page.pk)]}
    told = {"If-Modified-Since": before["Last-Modified"]}
    after = Client().get(page.get_absolute_url(), headers=told).text
    assert 'alt="A knee, straight"' in after
    assert 'alt="Mine"' in after
    assert "A knee, bent" not in after
    [was] = re.findall(r" Earlier words (.*)", words(editor.get(words_at(picture))))
    assert re.fullmatch(r"A knee, bent until .*, changed by ed", was)


@pytest.mark.parametrize(
    ("alt", "sentence"),
    [
        ("  ", "Describe what the picture shows."),
        ("A" * 301, "at most 300 characters"),
    ],
)
def test_words_that_will_not_do_are_said_and_the_picture_keeps_its_own(editor, alt, sentence):
    picture = knee()
    answer = editor.post(words_at(picture), {"alt": alt})

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert Picture.objects.get().alt == "A knee, bent"


def test_the_same_words_again_are_no_change(editor):
    picture, trail = knee(), Trail()
    editor.post(words_at(picture), {"alt": "A knee, bent"})

    assert not trail.events(action="update")
    assert "Earlier words" not in words(editor.get(words_at(picture)))


def test_who_only_reads_pages_is_offered_no_words_to_change(db):
    picture, reader = knee(), builders.sign_in(Client(), desk.clinician())

    assert words_at(picture) not in reader.get(LIST).text
    assert reader.post(words_at(picture), {"alt": "Mine"}).status_code == 403
    assert Picture.objects.get().alt == "A knee, bent"


def test_the_list_leads_an_editor_to_the_words(editor):
    assert words_at(knee()) in editor.get(LIST).text
    assert editor.get(f"{LIST}{uuid7()}/change/").status_code == 404
