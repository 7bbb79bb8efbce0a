import copy
import json
import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps
from hypothesis import given
from hypothesis import strategies as st

from clinic.ids import uuid7
from clinic.secrets import sealing
from clinic.secrets.sealing import SealedField, SealError, blind, fold, seal, unseal

PLACE = "intake_submission|answers|0190"
ZEROES = "A" * 43 + "="  # 32 bytes in base64
ANSWERS = {"name": "María O'Brien", "age": 61, "signs": ["swelling", "ulcer"], "note": None}

with isolate_apps("clinic"):

    class Note(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid7)
        title = models.CharField(max_length=20, default="")
        words = SealedField()
        more = SealedField(null=True)

        class Meta:
            app_label = "clinic"

        def __str__(self):
            return str(self.pk)


@pytest.fixture
def notes(db, monkeypatch):
    """A table with sealed columns, for one test."""
    monkeypatch.setitem(apps.all_models["clinic"], "note", Note)  # pickle looks the class up there
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    return Note.objects


def stored(pk, column="words"):
    with connection.cursor() as cursor:
        cursor.execute(f"select {column} from clinic_note where id = %s", [pk])
        (value,) = cursor.fetchone()
        return value and bytes(value)


def is_open(note, name="words"):
    return not isinstance(note.__dict__[name], sealing.Sealed)


def new_ring(path, *texts):
    path.unlink(missing_ok=True)
    keys = [key for text in texts for key in json.loads(text)["keys"]]
    sealing.write_key_file(path, json.dumps({"keys": keys}))


# --- values -------------------------------------------------------------------------------------
@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_in_its_place(plaintext, place):
    sealed = seal(plaintext, place)
    assert unseal(sealed, place) == plaintext
    assert len(sealed) == len(plaintext) + 33
    assert sealed[0] == 1


@given(st.binary(max_size=40), st.data())
def test_any_flipped_bit_is_refused(plaintext, data):
    sealed = bytearray(seal(plaintext, PLACE))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        unseal(bytes(sealed), PLACE)


@given(st.binary(max_size=40), st.data())
def test_bytes_cut_off_or_put_on_are_refused(plaintext, data):
    sealed = seal(plaintext, PLACE)
    for other in (sealed[: data.draw(st.integers(0, len(sealed) - 1))], sealed + b"\0", plaintext):
        with pytest.raises(SealError):
            unseal(other, PLACE)


@given(st.text(max_size=40), st.text(max_size=40))
def test_another_row_or_column_is_refused(first, second):
    first, second = (f"t|c|{text.encode(errors='replace').hex()}" for text in (first, second))
    sealed = seal(b"x", first)
    for place in {second, "t|d|" + first[4:], "u" + first[1:]} - {first}:
        with pytest.raises(SealError):
            unseal(sealed, place)


def test_the_same_value_is_sealed_differently_each_time():
    assert len({seal(b"x", PLACE) for _ in range(1000)}) == 1000


def test_a_refusal_says_where_but_not_what():
    sealed = bytearray(seal(b"Maria", PLACE))
    sealed[-1] ^= 1
    with pytest.raises(SealError, match=r"intake_submission\|answers") as refusal:
        unseal(bytes(sealed), PLACE)
    assert "Maria" not in str(refusal.value)
    assert refusal.value.__cause__ is None


# --- rotation -----------------------------------------------------------------------------------
def test_a_new_primary_key_seals_and_the_old_one_still_opens(tmp_path, settings):
    settings.FIELD_KEYS_FILE = path = tmp_path / "keys.json"
    old, new = sealing.new_field_keys(), sealing.new_field_keys()
    new_ring(path, old)
    sealed = seal(b"x", PLACE)
    assert sealing.kid_of(sealed) == json.loads(old)["keys"][0]["id"]

    new_ring(path, new, old)
    assert unseal(sealed, PLACE) == b"x"
    resealed = sealing.reseal(sealed, PLACE)
    assert sealing.kid_of(resealed) == json.loads(new)["keys"][0]["id"]

    new_ring(path, new)
    assert unseal(resealed, PLACE) == b"x"
    with pytest.raises(SealError, match="is not in FIELD_KEYS_FILE"):
        unseal(sealed, PLACE)
    with pytest.raises(SealError):
        sealing.reseal(resealed, PLACE + "x")


# --- key files ----------------------------------------------------------------------------------
@pytest.fixture
def production(settings):
    settings.DEMO = False
    return settings


def test_in_demo_the_files_are_made_on_first_use(tmp_path, settings):
    settings.DEMO = True
    settings.FIELD_KEYS_FILE = tmp_path / "new" / "field-keys.json"
    settings.INDEX_KEY_FILE = tmp_path / "new" / "index-key"
    sealed, number = seal(b"x", PLACE), blind("name", "x")
    assert (unseal(sealed, PLACE), blind("name", "x")) == (b"x", number)
    for path in (settings.FIELD_KEYS_FILE, settings.INDEX_KEY_FILE):
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert len(os.listdir(tmp_path / "new")) == 2


def test_of_many_first_uses_at_once_all_get_the_same_key(tmp_path, settings):
    settings.DEMO = True
    settings.INDEX_KEY_FILE = tmp_path / "index-key"
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: sealing.index_key(), range(64)))) == 1


def test_without_demo_no_key_is_ever_made(tmp_path, production):
    production.FIELD_KEYS_FILE = tmp_path / "keys.json"
    with pytest.raises(ImproperlyConfigured, match="make_keys"):
        seal(b"x", PLACE)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o420, 0o401])
def test_a_key_file_that_others_may_touch_is_refused_with_the_fix(tmp_path, production, mode):
    production.FIELD_KEYS_FILE = path = tmp_path / "keys.json"
    new_ring(path, sealing.new_field_keys())
    assert unseal(seal(b"x", PLACE), PLACE) == b"x"
    path.chmod(mode)
    with pytest.raises(ImproperlyConfigured, match=f"chmod 400 {path}"):
        seal(b"x", PLACE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"keys": []}',
        '{"keys": [{"id": "00000001"}]}',
        '{"keys": [{"id": "0001", "key": "' + ZEROES + '"}]}',
        '{"keys": [{"id": "00000001", "key": "c2VjcmV0"}]}',
        '{"keys": [' + ", ".join(['{"id": "00000001", "key": "' + ZEROES + '"}'] * 2) + "]}",
    ],
)
def test_a_key_file_that_is_none_is_refused_without_quoting_it(tmp_path, settings, text):
    settings.FIELD_KEYS_FILE = tmp_path / "keys.json"
    settings.FIELD_KEYS_FILE.write_text(text)
    with pytest.raises(ImproperlyConfigured) as refusal:
        seal(b"x", PLACE)
    assert "c2VjcmV0" not in str(refusal.value)


def test_make_keys_writes_each_kind_once(tmp_path, production, capsys):
    production.FIELD_KEYS_FILE = tmp_path / "keys.json"
    production.INDEX_KEY_FILE = tmp_path / "index"
    call_command("make_keys", str(tmp_path / "keys.json"))
    call_command("make_keys", str(tmp_path / "index"), "--index")
    said = capsys.readouterr().out
    assert "FIELD_KEYS_FILE=" in said
    assert "INDEX_KEY_FILE=" in said
    assert unseal(seal(b"x", PLACE), PLACE) == b"x"
    assert len(sealing.index_key()) == 32
    before = (tmp_path / "keys.json").read_bytes()
    with pytest.raises(CommandError, match="left alone"):
        call_command("make_keys", str(tmp_path / "keys.json"))
    with pytest.raises(CommandError, match="No such file"):
        call_command("make_keys", str(tmp_path / "missing" / "keys.json"))
    assert (tmp_path / "keys.json").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["index", "keys.json"]


# --- the field ----------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [ANSWERS, [], {}, "", "0", 0, False, ["ünï", {"a": [1.5]}]])
def test_a_value_comes_back_as_it_was(notes, value):
    pk = notes.create(words=value).pk
    assert notes.get(pk=pk).words == value
    assert notes.get(pk=pk).more is None


def test_the_database_holds_nothing_of_the_value(notes):
    note = notes.create(words=ANSWERS, more="ulcer")
    with connection.cursor() as cursor:
        cursor.execute("select words, more, n::text from clinic_note n")
        words, more, row = cursor.fetchone()
    everything = bytes(words) + bytes(more) + row.encode() + bytes.fromhex(row.split('"')[1][3:])
    for text in ("María", "O'Brien", "swelling", "ulcer", "signs", "note"):
        assert text.encode() not in everything
        assert json.dumps(text)[1:-1].encode() not in everything
    assert unseal(stored(note.pk), f"clinic_note|words|{note.pk}")


def test_rows_are_opened_when_they_are_read_and_once(notes):
    notes.create(words=ANSWERS)
    (note,) = notes.all()
    assert not is_open(note)
    assert "María" not in repr(note.__dict__)
    assert note.words is note.words
    assert is_open(note)


def test_an_unopened_value_is_saved_as_the_same_bytes(notes):
    pk = notes.create(words=ANSWERS, more="x").pk
    before = stored(pk), stored(pk, "more")
    note = notes.get(pk=pk)
    note.title = "seen"
    note.save()
    assert not is_open(note)
    assert (stored(pk), stored(pk, "more")) == before


def test_an_opened_and_changed_value_is_saved(notes):
    pk = notes.create(words=ANSWERS).pk
    note = notes.get(pk=pk)
    note.words["age"] = 62
    note.more = ["new"]
    note.save()
    note = notes.get(pk=pk)
    assert (note.words["age"], note.more) == (62, ["new"])
    note.more = None
    note.save(update_fields=["more"])
    assert notes.get(more__isnull=True, words__isnull=False).pk == pk
    assert stored(pk, "more") is None


def test_deferred_loading_and_refreshing(notes, django_assert_num_queries):
    pk = notes.create(words=ANSWERS).pk
    note = notes.defer("words").get(pk=pk)
    with django_assert_num_queries(1):
        assert note.words == ANSWERS
    note = notes.only("title").get(pk=pk)
    note.save()
    assert notes.get(pk=pk).words == ANSWERS

    note = notes.get(pk=pk)
    note.words = "unsaved"
    note.refresh_from_db()
    assert note.words == ANSWERS
    notes.update(title="x")
    note.refresh_from_db(fields=["words"])
    assert note.words == ANSWERS


def test_bulk_create_seals_each_row_for_itself(notes):
    made = notes.bulk_create([Note(words=number) for number in range(3)])
    assert [notes.get(pk=note.pk).words for note in made] == [0, 1, 2]
    (first, second, _third) = (stored(note.pk) for note in made)
    assert first != second


def test_copies_and_pickles_stay_sealed_or_open(notes):
    pk = notes.create(words=ANSWERS).pk
    for double in (copy.copy, copy.deepcopy, lambda note: pickle.loads(pickle.dumps(note))):
        note = notes.get(pk=pk)
        same = double(note)
        assert not is_open(same)
        assert same.words == ANSWERS
        assert not is_open(note)
        assert double(same).words == ANSWERS


def test_update_takes_a_value_sealed_for_the_row(notes):
    note, other = notes.create(words=1), notes.create(words=2)
    field = Note._meta.get_field("words")
    assert notes.filter(pk=note.pk).update(words=field.seal_for(note.pk, ANSWERS), more=None) == 1
    assert [notes.get(pk=n.pk).words for n in (note, other)] == [ANSWERS, 2]
    sealed = notes.filter(pk=note.pk).values_list("words", flat=True).get()
    assert repr(sealed) == "<Sealed>"
    assert field.open_for(note.pk, sealed) == ANSWERS
    assert field.seal_for(note.pk, None) is field.open_for(note.pk, None) is None


@pytest.mark.parametrize("value", [{}, "text", b"bytes", 7, models.Value("text")])
def test_update_refuses_a_value_that_is_not_sealed(notes, value):
    note = notes.create(words=ANSWERS)
    before = stored(note.pk)
    if isinstance(value, models.Value):
        value = models.Value("text", output_field=SealedField())
    with pytest.raises(TypeError, match="seal_for"), transaction.atomic():
        notes.update(words=value)
    with pytest.raises(TypeError, match="seal_for"), transaction.atomic():
        notes.bulk_update([note], ["words"])
    assert stored(note.pk) == before


@pytest.mark.parametrize("lookup", ["", "__exact", "__contains", "__in", "__gt", "__startswith"])
def test_looking_for_a_sealed_value_is_refused(notes, lookup):
    for value in ("x", None, [b"x"]):
        with pytest.raises(FieldError, match="only isnull"):
            notes.filter(**{f"words{lookup}": value})
    with pytest.raises(FieldError):
        notes.filter(words__name="x")
    with pytest.raises(FieldError):
        notes.exclude(words=b"x")


def test_a_row_without_a_key_or_a_value_is_refused(notes):
    with pytest.raises(TypeError, match="primary key"):
        Note._meta.get_field("words").seal_for(None, {})
    with pytest.raises(TypeError, match="primary key"):
        Note._meta.get_field("words").pre_save(Note(id=None, words={}), add=True)
    with pytest.raises(IntegrityError):
        notes.create()


@pytest.mark.parametrize("value", [b"x", {1, 2}, uuid7(), float("nan"), "\ud800", object()])
def test_what_json_cannot_say_is_refused(notes, value):
    with pytest.raises((TypeError, ValueError)):
        notes.create(words=value)


def test_a_value_moved_or_changed_in_the_database_is_refused(notes):
    one, two = notes.create(words="one", more="more"), notes.create(words="two")
    with connection.cursor() as cursor:
        cursor.execute("update clinic_note set words = %s where id = %s", [stored(one.pk), two.pk])
        cursor.execute("update clinic_note set more = words where id = %s", [one.pk])
    with pytest.raises(SealError):
        _ = notes.get(pk=two.pk).words
    with pytest.raises(SealError):
        _ = notes.get(pk=one.pk).more
    with connection.cursor() as cursor:
        cursor.execute("update clinic_note set words = '\"plain\"' where id = %s", [one.pk])
    with pytest.raises(SealError):
        _ = notes.get(pk=one.pk).words


def test_an_unopened_value_is_never_written_into_another_row(notes):
    notes.create(words="one")
    note = notes.get()
    note.pk = uuid7()
    with pytest.raises(SealError), transaction.atomic():
        note.save()
    note = notes.get()
    assert note.words == "one"
    note.pk = uuid7()
    note.save()  # the opened value is sealed again, for the new row
    assert [row.words for row in notes.all()] == ["one", "one"]


def test_forms_serializers_and_fixtures_get_nothing(notes):
    field = Note._meta.get_field("words")
    assert not field.editable
    note = notes.create(title="x", words=ANSWERS)
    for form in ("json", "xml", "python"):
        assert "María" not in str(serializers.serialize(form, [note]))
    with pytest.raises(TypeError, match="not serialized"):
        field.value_to_string(note)
    note.full_clean()
    assert note.words == ANSWERS


def test_a_migration_names_the_field_and_nothing_that_changes():
    name, path, args, kwargs = Note._meta.get_field("more").deconstruct()
    assert (name, path, args, kwargs) == (
        "more",
        "clinic.secrets.sealing.SealedField",
        [],
        {"null": True},
    )
    assert SealedField(**kwargs).deconstruct()[1:] == (path, args, kwargs)
    text, _imports = MigrationWriter.serialize(SealedField())
    assert text == "clinic.secrets.sealing.SealedField()"
    assert SealedField(editable=True).editable is False
    assert Note.check() == []


# --- blind indexes ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("José", "jose"),
        ("O'Brien", "obrien"),
        ("  Anne-Marie  de la Croix ", "annemariedelacroix"),
        ("STRAẞE", "strasse"),
        ("Straße", "strasse"),
        ("(202) 555-0123", "2025550123"),
        ("ﬁnn", "finn"),
        ("İpek", "ipek"),
        ("Ａｎａ", "ana"),
        ("李小龍", "李小龍"),
        ("'-.", ""),
    ],
)
def test_folding(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_blind_index_is_a_bigint_and_always_the_same(text):
    number = blind("name", text)
    assert -(2**63) <= number < 2**63
    assert blind("name", text) == number
    assert blind("phone", text) != number


def test_a_blind_index_depends_on_the_key(tmp_path, settings):
    before = blind("name", "maria")
    settings.INDEX_KEY_FILE = tmp_path / "index-key"
    assert blind("name", "maria") != before
    assert any(blind("name", str(n)) < 0 for n in range(64))
