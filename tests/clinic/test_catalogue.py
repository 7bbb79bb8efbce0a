"""The catalogue of the sentences that patients read is complete, and each fault is reported."""

import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.core.management import CommandError, call_command
from django.utils.translation import gettext, override

from clinic.management.commands import translations

PO = translations.ROOT / "clinic/locale/es/LC_MESSAGES/django.po"


@pytest.fixture(scope="module")
def found() -> Catalog:
    return translations.collected()


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the catalogue, which a test can spoil."""
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    for suffix in (".po", ".mo"):
        shutil.copy(PO.with_suffix(suffix), folder)
    return folder / "django.po"


def test_everything_patients_read_has_its_spanish():
    call_command("translations", check=True)


def test_sentences_of_templates_programs_and_the_domain_are_collected(found):
    assert found.get("Skip to the main part")
    assert found.get("Choose from the answers shown.")
    assert found.get("“%(label)s” cannot be checked together with other answers. Uncheck one.")
    assert found.get(("We found %(n)s page.", "We found %(n)s pages."))
    assert found.get("l, F j", "day")
    assert found.get("Your code from %(clinic)s")


def test_staffs_sentences_are_not(found):
    for sentence in ("Worklist", "Take it", "Store the decision", "Staff sign-in"):
        assert found.get(sentence) is None, sentence


def test_in_spanish_they_are_said_in_spanish():
    with override("es"):
        assert gettext("Continue") == "Continuar"
        # Django brings the translations of its own sentences
        assert gettext("This field is required.") == "Este campo es obligatorio."


def faults(path: Path, found: Catalog) -> list[str]:
    return list(translations._faults(path, found))


def test_the_shipped_one_has_no_fault(copy, found):
    assert faults(copy, found) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('msgstr "Continuar"', 'msgstr ""', "no translation: 'Continue'"),
        ('msgid "Continue"', '#, fuzzy\nmsgid "Continue"', "not certain"),
        ('msgid "Continue"', 'msgid "Continue on"', "nobody says this any more: 'Continue on'"),
        ('"%(n)s de %(all)s"', '"%(m)s de %(all)s"', "other placeholders"),
        ("<b>Sin diagnóstico.</b>", "Sin diagnóstico.", "other placeholders or tags"),
        ("Continuar", "Seguir", "the .mo file is not made from it"),
    ],
)
def test_a_fault_is_named(copy, found, old, new, told):
    text = copy.read_text(encoding="utf-8")
    assert old in text
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")

    assert any(told in fault for fault in faults(copy, found))


def test_collecting_again_changes_nothing(copy, found):
    before = copy.read_bytes(), copy.with_suffix(".mo").read_bytes()

    translations._renew(copy, "es", found)

    assert (copy.read_bytes(), copy.with_suffix(".mo").read_bytes()) == before


def test_a_new_sentence_comes_without_a_translation_and_the_others_keep_theirs(copy):
    more = translations.collected()
    more.add("A new sentence")

    translations._renew(copy, "es", more)

    assert faults(copy, more) == ["no translation: 'A new sentence'"]


def test_a_faulty_catalogue_fails_the_check(monkeypatch, copy, capsys):
    copy.with_suffix(".mo").unlink()
    monkeypatch.setattr(translations, "ROOT", copy.parent)
    monkeypatch.setattr(translations, "collected", lambda: Catalog())
    folder = copy.parent / "clinic/locale/es/LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(copy, folder)

    with pytest.raises(CommandError, match="make translations"):
        call_command("translations", check=True)
