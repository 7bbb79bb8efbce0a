"""Collect, compile and check the translations of the sentences that patients read."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation.template import templatize

if TYPE_CHECKING:  # babel is installed for development only
    from babel.messages.catalog import Catalog

ROOT: Path = settings.BASE_DIR
LANGUAGES = ("es",)
# The files with sentences that patients read. Staff pages are English only and are not collected.
SOURCES = (
    *("clinic/hours.py", "clinic/views.py", "clinic/middleware.py", "clinic/templatetags/*.py"),
    *("intake/*.py", "intake/domain/*.py", "intake/forms/*.py", "intake/models/*.py"),
    *("intake/wording/*.py", "intake/access/*.py", "intake/letters/*.py", "intake/my_page/*.py"),
    *("intake/questionnaire/*.py", "intake/questionnaire/*/*.py"),
    *("intake/appointments/*.py", "intake/appointments/views/*.py"),
    *("education/*.py", "education/templatetags/*.py"),
    *("templates/*.html", "templates/*/*.html", "templates/*/*.txt", "templates/*/*.xml"),
)
STAFF_SOURCES = (
    *("templates/admin/", "templates/account/", "templates/mfa/"),
    *("templates/email/alert.txt", "templates/email/escalation.txt"),
    *("templates/email/reviews_due.txt", "education/admin", "education/services/"),
    *("education/models.py", "education/messages.py", "education/judging.py"),
    *("education/differences.py", "education/image_format.py"),
    *("intake/checks.py", "intake/admin.py", "intake/models/clinic_time.py"),
    *("intake/models/calls.py", "intake/appointments/clinic_time.py"),
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
# What patients read. `make translations` collects and compiles it; see CONTRIBUTING.md.
msgid ""
msgstr ""
"Language: %s\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_KEPT = re.compile(r"%\([a-z_]+\)[sd]|</?[a-z]+[^>]*>")


class Command(BaseCommand):
    help = (
        "Collect the sentences that patients read into clinic/locale and compile them. New ones"
        " come without a translation: write it, run this again. --check changes nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say what is wrong")

    def handle(self, *, check: bool, **options: Any) -> None:
        found = collected()
        faults = []
        for language in LANGUAGES:
            path = ROOT / f"clinic/locale/{language}/LC_MESSAGES/django.po"
            if not check:
                _renew(path, language, found)
            faults += [f"{path.relative_to(ROOT)}: {fault}" for fault in _faults(path, found)]
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


def _renew(path: Path, language: str, found: "Catalog") -> None:
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    catalog = Catalog(locale=language, fuzzy=False)
    known = _read(path) if path.is_file() else catalog
    for message in found:
        if message.id:
            old = known.get(message.id, message.context)
            catalog.add(message.id, old.string if old else "", context=message.context)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    write_po(buffer, catalog, width=100, no_location=True, sort_output=True, omit_header=True)
    path.write_bytes((HEADER % language).encode() + buffer.getvalue())
    path.with_suffix(".mo").write_bytes(_compiled(_read(path)))


def _compiled(catalog: "Catalog") -> bytes:
    from babel.messages.mofile import write_mo

    catalog.creation_date = catalog.revision_date = NO_DATE
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _texts(compiled: bytes) -> dict[Any, str]:
    """Return the translations of a compiled catalogue, without its header."""
    texts = vars(GNUTranslations(BytesIO(compiled)))["_catalog"]
    return {key: text for key, text in texts.items() if key}


def _faults(path: Path, found: "Catalog") -> Iterator[str]:
    """Yield the faults of a catalogue: missing, uncertain, unused and mismatched translations."""
    catalog = _read(path)
    for message in found:
        if not message.id:
            continue
        known = catalog.get(message.id, message.context)
        forms, wanted = _forms(known.string) if known else (), _forms(message.id)
        if known is None or not forms or not all(forms):
            yield f"no translation: {wanted[0][:90]!r}"
        elif known.fuzzy:
            yield f"not certain (fuzzy): {wanted[0][:90]!r}"
        elif list(map(_kept, forms)) != list(map(_kept, wanted)):
            yield f"other placeholders or tags: {wanted[0][:90]!r}"
    there = {(message.id, message.context) for message in found}
    for message in catalog:
        if message.id and (message.id, message.context) not in there:
            yield f"nobody says this any more: {_forms(message.id)[0][:90]!r}"
    compiled = path.with_suffix(".mo")
    if not compiled.is_file() or _texts(compiled.read_bytes()) != _texts(_compiled(catalog)):
        yield "the .mo file is not made from it"


def _forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _kept(text: str) -> list[str]:
    return sorted(_KEPT.findall(text))
