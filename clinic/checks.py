"""System checks of the program as a whole."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import InterfaceError, OperationalError
from django.utils.text import Truncator
from django.utils.translation import to_locale

from clinic import languages, notices
from clinic.outgoing import mail_reports

DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


@register(Tags.database)
def durability(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the database keeps committed rows after a power cut.

    The program tells patients that their request is sent as soon as the row is committed. If the
    database does not answer, the check reports no error, because the program may start without a
    database.
    """
    if settings.DEMO or not databases:
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "select name from pg_settings where name = any(%s) and setting in ('off', 'local')",
                [list(DURABLE)],
            )
            wrong = sorted(name for (name,) in cursor.fetchall())
    except (OperationalError, InterfaceError):
        return []
    return [
        Error(
            f"The database has {name} off. A power cut could lose answers that patients have sent.",
            hint=f"Set {name} = on in postgresql.conf, or remove it from the role's settings.",
            id="clinic.E001",
        )
        for name in wrong
    ]


@register("translations")
def catalogues(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report the sentences that are not translated into a language that the site offers.

    In a clinic such sentences are an error. In a demonstration such sentences are only a warning,
    because pages show them in English.
    """
    messages: list[CheckMessage] = []
    for code, _name in settings.LANGUAGES:
        if code == languages.ENGLISH:
            continue
        where = f"clinic/locale/{to_locale(code)}/LC_MESSAGES/django.po"
        try:
            missing, every = languages.untranslated(settings.LOCALE_PATHS[0], code)
        except OSError as error:
            text = f"Nobody can tell what the translation in {where} lacks: {error}."
            hint = f"Run `make translations`, or remove {code!r} from CLINIC_LANGUAGES."
            messages.append(Error(text, hint=hint, id="clinic.E002"))
            continue
        if not missing:
            continue
        quoted = languages.first_few([f"“{Truncator(s).chars(60)}”" for s in missing])
        text = f"{where} is not whole. It lacks {len(missing)} of {every} sentences: {quoted}."
        if settings.DEMO:
            hint = "This demonstration shows these sentences in English."
            messages.append(Warning(text, hint=hint, id="clinic.W003"))
        else:
            hint = (
                f"Write them and run `make translations`, or remove {code!r} from CLINIC_LANGUAGES."
            )
            messages.append(Error(text, hint=hint, id="clinic.E004"))
    return messages


@register("notices")
def civil_rights(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report the missing settings that patients of any language need to reach a person.

    A demonstration needs only a readable file of notices.
    """
    messages: list[CheckMessage] = []
    try:
        found = notices.read(settings.LANGUAGE_NOTICES)
    except notices.Unreadable as error:
        hint = "Copy clinic/notices.yaml and change the copy (docs/operations.md, Notices)."
        return [Error(f"LANGUAGE_NOTICES: {error}.", hint=hint, id="clinic.E008")]
    if settings.DEMO:
        return []
    if len(settings.LANGUAGES) > 1 and settings.INTERPRETER_PHONE == settings.CLINIC_PHONE:
        text = (
            "INTERPRETER_PHONE is the number of the clinic, which does not answer day and night,"
            " and this site offers more than English."
        )
        hint = (
            "Write the number of a language service that answers day and night, or"
            " CLINIC_LANGUAGES=en."
        )
        messages.append(Error(text, hint=hint, id="clinic.E005"))
    if not settings.CIVIL_RIGHTS_CONTACT:
        text = "CIVIL_RIGHTS_CONTACT is not set: the notice of nondiscrimination names no contact."
        hint = (
            "Write name or title, address, telephone and e-mail of the coordinator for civil rights"
            " (45 CFR 92.10), or none if the clinic has fewer than 15 employees."
        )
        messages.append(Error(text, hint=hint, id="clinic.E006"))
    if not settings.PRIVACY_PRACTICES:
        text = "PRIVACY_PRACTICES is not set: no page leads to the notice of privacy practices."
        hint = (
            "Publish the notice (45 CFR 164.520), and write its address, such as"
            " /about/privacy-practices/ (docs/clinic-pages.md)."
        )
        messages.append(Warning(text, hint=hint, id="clinic.W009"))
    if missing := _missing_of(found):
        text = f"The notice of language help ({settings.LANGUAGE_NOTICES}) {'; '.join(missing)}."
        hint = "Your own file in LANGUAGE_NOTICES: docs/operations.md, Notices."
        messages.append(Warning(text, hint=hint, id="clinic.W007"))
    return messages


def _missing_of(found: notices.Notices) -> list[str]:
    """Return the requirements of 45 CFR 92.11 that a file of notices does not meet, in words."""
    missing = []
    if not found.state:
        missing.append("names no state, so its languages may not be those of yours")
    if len(found.spoken) < notices.LANGUAGES_ASKED:
        missing.append(f"has {len(found.spoken)} of {notices.LANGUAGES_ASKED} languages")
    if found.drafts:
        names = languages.first_few([notice.name for notice in found.drafts])
        missing.append(f"has drafts that no reader has compared: {names}")
    return missing


@register("mail")
def mail_that_comes_back(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if the clinic cannot learn from its mail provider which mails came back."""
    if settings.DEMO or not settings.EMAIL_PROVIDER:
        return []
    try:
        mail_reports.view_of(settings.EMAIL_PROVIDER)
    except mail_reports.Unchecked as error:
        text = f"Nobody learns which mails came back: {error}."
        hint = "docs/operations.md, Mail that comes back, says what each provider needs."
        return [Warning(text, hint=hint, id="clinic.W010")]
    return []
