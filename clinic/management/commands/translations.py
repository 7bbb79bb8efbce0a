"""Collect, compile and check the translations of the sentences that patients read."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation.template import templatize

from clinic import languages

if TYPE_CHECKING:  # babel is installed for development only
    from babel.messages.catalog import Catalog, Message

ROOT: Path = settings.BASE_DIR
# The files with sentences that patients read. Staff pages are English only and are not collected.
SOURCES = (
    *(
        "clinic/hours.py",
        "clinic/opening_hours.py",
        "clinic/views.py",
        "clinic/middleware.py",
        "clinic/templatetags/*.py",
    ),
    *("intake/*.py", "intake/domain/*.py", "intake/forms/*.py", "intake/models/*.py"),
    *("intake/wording/*.py", "intake/access/*.py", "intake/letters/*.py", "intake/my_page/*.py"),
    *("intake/questionnaire/*.py", "intake/questionnaire/*/*.py"),
    *("intake/appointments/*.py", "intake/appointments/views/*.py", "intake/clinic_pages/*.py"),
    "intake/invitations/*.py",
    *("education/*.py", "education/templatetags/*.py"),
    *(
        "templates/education/drawings/*.html",
        "templates/*.html",
        "templates/*/*.html",
        "templates/*/*.txt",
        "templates/*/*.xml",
    ),
)
STAFF_SOURCES = (
    *("templates/admin/", "templates/account/", "templates/mfa/"),
    *("clinic/templatetags/staff_pages.py", "intake/models/clinical_letters.py"),
    *("templates/email/alert.txt", "templates/email/escalation.txt"),
    *("templates/email/reviews_due.txt", "education/admin", "education/services/"),
    *("education/models.py", "education/messages.py", "education/judging.py"),
    *("education/differences.py", "education/image_format.py"),
    *("templates/email/given_back.txt", "templates/email/handed.txt"),
    "templates/email/taken_over.txt",
    *("intake/checks.py", "intake/admin.py", "intake/models/clinic_time.py"),
    *("intake/models/received_texts.py", "intake/models/safe_contact.py"),
    *(
        "templates/email/text_alarms.txt",
        "templates/email/on_call_sms.txt",
    ),
    *("intake/models/calls.py", "intake/models/rota.py", "intake/appointments/clinic_time.py"),
    *("intake/models/phone_calls.py", "intake/models/access_report.py"),
    *("intake/models/contact_points.py", "intake/models/pending.py"),
    *("intake/models/clinic_pages.py", "intake/clinic_pages/admin.py"),
    *("intake/clinic_pages/missing.py", "clinic/translated.py"),
    *("intake/models/invitations.py", "intake/invitations/admin.py"),
    *(f"intake/invitations/{name}.py" for name in ("inviting", "managing", "lists", "csv_file")),
    *(f"intake/invitations/{name}.py" for name in ("inviting_pages", "staff_forms", "staff_words")),
)
# function name → positions of the arguments that hold sentences
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
    "InvalidAnswer": (2,),
}
# The header has no dates, so that two branches that each add a sentence merge without a conflict.
HEADER = """\
# What patients read. `make translations` collects and compiles it; see docs/languages.md.
%smsgid ""
msgstr ""
"Language: %s\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: %s\\n"

"""
POT_HEAD = b"# Every sentence that patients read. `make translations` writes this list.\n\n"
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_KEPT = re.compile(r"%\([a-z_]+\)[sd]|</?[a-z]+[^>]*>")


class Command(BaseCommand):
    help = (
        "Collect the sentences that patients read into each folder of clinic/locale and compile"
        " them. New ones come without a translation: write it, run this again. --check changes"
        " nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say what is wrong")

    def handle(self, *, check: bool, **options: Any) -> None:
        found = collected()
        faults = _faults_of_list(found, renew=not check)
        for folder in languages.folders(ROOT / "clinic/locale").values():
            path = folder / "LC_MESSAGES/django.po"
            if not check:
                _renew(path, folder.name, found)
            elif not path.is_file():
                faults.append(f"{path.relative_to(ROOT)}: it is not there")
                continue
            own = [f"{path.relative_to(ROOT)}: {fault}" for fault in _faults(path, found)]
            if own and _read(path).fuzzy:
                self.stdout.write(f"{path.relative_to(ROOT)} is under way: {len(own)} faults.")
            else:
                faults += own
        for fault in faults:
            self.stderr.write(fault)
        if check and faults:
            raise CommandError("Run `make translations`, write what is missing, run it again.")
        if not check:
            self.stdout.write(f"{len(found)} sentences, {len(faults)} faults.")


def collected() -> "Catalog":
    """Return a catalogue of all sentences that patients read, without translations."""
    from babel.messages.catalog import Catalog

    catalog = Catalog()
    for path in _sources():
        for message, context in _sentences(path):
            catalog.add(message, context=context)
    return catalog


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if not path.relative_to(ROOT).as_posix().startswith(STAFF_SOURCES):
                yield path


def _sentences(path: Path) -> Iterator[tuple[Any, str | None]]:
    from babel.messages.extract import extract

    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        text = templatize(text, origin=path.name)
    source = BytesIO(text.encode())
    for _line, message, _comments, context in extract("python", source, keywords=KEYWORDS):
        yield message, context


def _read(path: Path) -> "Catalog":
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def _faults_of_list(found: "Catalog", *, renew: bool) -> list[str]:
    """Return a fault if the stored list differs from the sentences found in the code.

    `renew` writes the list anew first.
    """
    path = ROOT / "clinic/locale" / languages.POT
    listed = POT_HEAD + _written(found)
    if renew:
        path.write_bytes(listed)
    same = path.is_file() and path.read_bytes() == listed
    return [] if same else [f"{path.relative_to(ROOT)} is not of today's sentences"]


def _written(catalog: "Catalog") -> bytes:
    from babel.messages.pofile import write_po

    buffer = BytesIO()
    write_po(buffer, catalog, width=100, no_location=True, sort_output=True, omit_header=True)
    return buffer.getvalue()


def _renew(path: Path, locale: str, found: "Catalog") -> None:
    """Write the catalogue anew, with its translations.

    A catalogue that did not exist before is marked as under way (`#, fuzzy`).
    """
    from babel.messages.catalog import Catalog

    catalog = Catalog(locale=locale, fuzzy=False)
    known = _read(path) if path.is_file() else Catalog(locale=locale)
    for message in found:
        if message.id:
            old = known.get(message.id, message.context)
            flags = ["fuzzy"] if old and old.fuzzy else []
            translated = old.string if old else ""
            catalog.add(message.id, translated, flags=flags, context=message.context)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = HEADER % ("#, fuzzy\n" if known.fuzzy else "", locale, known.plural_forms)
    path.write_bytes(head.encode() + _written(catalog))
    path.with_suffix(".mo").write_bytes(_compiled(_read(path)))


def _compiled(catalog: "Catalog") -> bytes:
    """Return the compiled catalogue. A sentence whose translation is not ready is left out.

    Pages show such a sentence in English, with all its plural forms.
    """
    from babel.messages.mofile import write_mo

    for message in [m for m in catalog if m.id and _fault(m, m, catalog)]:
        catalog.delete(message.id, message.context)
    catalog.creation_date = catalog.revision_date = NO_DATE
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _faults(path: Path, found: "Catalog") -> Iterator[str]:
    """Yield the faults of a catalogue: missing, uncertain, unused and mismatched translations."""
    catalog = _read(path)
    for message in found:
        if not message.id:
            continue
        known = catalog.get(message.id, message.context)
        if fault := _fault(message, known, catalog):
            yield f"{fault}: {_forms(message.id)[0][:90]!r}"
    there = {(message.id, message.context) for message in found}
    for message in catalog:
        if message.id and (message.id, message.context) not in there:
            yield f"nobody says this any more: {_forms(message.id)[0][:90]!r}"
    compiled = path.with_suffix(".mo")
    texts = languages.texts_of
    if not compiled.is_file() or texts(compiled.read_bytes()) != texts(_compiled(catalog)):
        yield "the .mo file is not made from it"


def _fault(message: "Message", known: "Message | None", catalog: "Catalog") -> str:
    """Return why a translation is not ready, or ''."""
    forms, wanted = _forms(known.string) if known else (), _forms(message.id)
    if known is None or not forms or not all(forms):
        return "no translation"
    if known.fuzzy:
        return "not certain (fuzzy)"
    if len(forms) != (catalog.num_plurals if len(wanted) > 1 else 1):
        return f"{len(forms)} forms of the plural"
    # If a sentence has several forms, the first form must have the placeholders of the English
    # singular or of the English plural. All other forms must have the placeholders of the plural.
    singular, plural = _kept(wanted[0]), _kept(wanted[-1])
    first, *others = map(_kept, forms)
    firsts = (singular, plural) if others else (plural,)
    if first not in firsts or any(form != plural for form in others):
        return "other placeholders or tags"
    return ""


def _forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _kept(text: str) -> list[str]:
    return sorted(_KEPT.findall(text))
