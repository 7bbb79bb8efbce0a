"""A folder in clinic/locale makes a language.

A sentence that the language lacks is reported, and pages show the sentence in English.
"""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from clinic import checks, languages
from clinic.management.commands import translations
from clinic.middleware import PRIVATE


@pytest.fixture
def locale(tmp_path, monkeypatch) -> Path:
    """A copy of the program's folder with three sentences to translate, and no language yet."""
    found = Catalog()
    found.add("Continue")
    found.add("Call %(tel)s")
    found.add(("%(n)s page fits", "%(n)s pages fit"))
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "collected", lambda: found)
    folder = tmp_path / "clinic" / "locale"
    folder.mkdir(parents=True)
    return folder


def begin(locale: Path, name: str) -> Path:
    (locale / name).mkdir()
    call_command("translations", verbosity=0)
    return locale / name / "LC_MESSAGES" / "django.po"


def write(po: Path, *pairs: tuple[str, str]) -> None:
    text = po.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    po.write_text(text, encoding="utf-8")
    call_command("translations", verbosity=0)


WHOLE = (
    ('msgid "Continue"\nmsgstr ""', 'msgid "Continue"\nmsgstr "Continuer"'),
    ('msgid "Call %(tel)s"\nmsgstr ""', 'msgid "Call %(tel)s"\nmsgstr "Appelez le %(tel)s"'),
    ('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%(n)s page"\nmsgstr[1] "%(n)s pages"'),
)


def test_a_folder_is_a_language(locale):
    begin(locale, "fr")
    begin(locale, "pt_BR")
    (locale / "zh_Hans").mkdir()

    assert languages.compiled(locale) == ["en", "fr", "pt-br"]
    assert languages.offered(["en", "fr", "pt-br", "fr"], locale) == [
        *(("en", "English"), ("fr", "French"), ("pt-br", "Brazilian Portuguese")),
    ]
    with pytest.raises(ImproperlyConfigured, match=r"'zh-hans' has no compiled.*: en,fr,pt-br\."):
        languages.offered(["en", "zh-hans"], locale)


@pytest.mark.parametrize("text", [None, "", "Haitian Creole", ", Kreyòl"])
def test_a_language_that_django_does_not_know_needs_its_names(locale, monkeypatch, text):
    begin(locale, "ht")
    file = locale / "ht" / "name.txt"
    monkeypatch.delitem(LANG_INFO, "ht", raising=False)
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ImproperlyConfigured, match=r"clinic/locale/ht/name\.txt"):
        languages.offered(["en", "ht"], locale)

    file.write_text("Haitian Creole, Kreyòl ayisyen\n", encoding="utf-8")
    try:
        assert languages.offered(["en", "ht"], locale)[1] == ("ht", "Haitian Creole")
        assert LANG_INFO["ht"]["name_local"] == "Kreyòl ayisyen"
    finally:
        del LANG_INFO["ht"]


@pytest.mark.parametrize(
    ("name", "forms"), [("fr", "nplurals=2; plural=(n > 1)"), ("vi", "nplurals=1"), ("ru", "n%10")]
)
def test_a_new_catalogue_has_the_plural_forms_of_its_language(locale, name, forms):
    assert forms in begin(locale, name).read_text(encoding="utf-8")


def test_a_catalogue_under_way_is_counted_and_stops_nobody(locale, capsys):
    po = begin(locale, "fr")
    assert po.read_text(encoding="utf-8").count("#, fuzzy\n") == 1

    call_command("translations", check=True)

    assert (
        "clinic/locale/fr/LC_MESSAGES/django.po is under way: 3 faults." in capsys.readouterr().out
    )
    write(po, ("#, fuzzy\n", ""))
    with pytest.raises(CommandError, match="make translations"):
        call_command("translations", check=True)
    write(po, *WHOLE)
    call_command("translations", check=True)
    assert languages.untranslated(locale, "fr") == ([], 3)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Continuer"', '""', "Continue"),
        ('"Appelez le %(tel)s"', '"Appelez le 911"', "Call %(tel)s"),
        ('"Appelez le %(tel)s"', '"Appelez le %(number)s"', "Call %(tel)s"),
        ('"%(n)s pages"', '""', "%(n)s page fits"),
        ('"%(n)s pages"', '"des pages"', "%(n)s page fits"),
        ('msgid "Continue"', '#, fuzzy\nmsgid "Continue"', "Continue"),
    ],
)
def test_a_sentence_that_is_not_ready_is_english_as_a_whole(locale, old, new, sentence):
    po = begin(locale, "fr")
    write(po, *WHOLE)
    write(po, (old, new))

    assert languages.untranslated(locale, "fr") == ([sentence], 3)
    texts = languages.texts_of(po.with_suffix(".mo").read_bytes())
    assert not any(key in (sentence, (sentence, 0), (sentence, 1)) for key in texts)


def test_a_catalogue_of_the_release_before_lacks_the_new_sentences(locale):
    po = begin(locale, "fr")
    write(po, *WHOLE)
    before = po.read_bytes(), po.with_suffix(".mo").read_bytes()
    translations.collected().add("A new sentence")
    call_command("translations", verbosity=0)
    po.write_bytes(before[0])
    po.with_suffix(".mo").write_bytes(before[1])

    assert languages.untranslated(locale, "fr") == (["A new sentence"], 4)


@pytest.mark.parametrize("lost", ["django.pot", "fr/LC_MESSAGES/django.mo"])
def test_a_file_that_cannot_be_read_is_named(locale, settings, lost):
    begin(locale, "fr")
    settings.LOCALE_PATHS, settings.LANGUAGES = [locale], [("en", "English"), ("fr", "French")]
    (locale / lost).unlink()

    (message,) = checks.catalogues()

    assert message.id == "clinic.E002"
    assert lost in message.msg


def test_the_shipped_languages_are_whole():
    assert checks.catalogues() == []


@pytest.mark.parametrize("code", ["es", "pt-br", "zh-hans", "hmn"])
def test_a_patients_page_is_kept_by_nobody_in_any_language(code):
    assert PRIVATE.match(f"/{code}/my/")
    assert PRIVATE.match("/my/")
    assert not PRIVATE.match(f"/{code}/conditions/my/")
