"""Let the search know the endings of a language's words, where PostgreSQL has a stemmer for it.

The stemmer of a language is found by its English name: `fr` is French, and PostgreSQL's own list
has a dictionary `french_stem`. A language without a stemmer is searched by whole words.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import F

from education.models import Page


def after_migrate(sender: object, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Prepare the search for the languages on offer. `migrate` runs as the tables' owner."""
    prepare(languages=[code for code, _name in settings.LANGUAGES], using=using)


def prepare(*, languages: Iterable[str], using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Make a text search configuration for each language that has a stemmer, unless there is one.

    Returns the languages for which a configuration was made; their pages are indexed anew.
    """
    wanted = {code: stemmer for code in languages if (stemmer := stemmer_of(code))}
    made = []
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("select to_regproc('education_search_config') is not null")
        if not cursor.fetchone()[0]:  # the migration that makes this function has not run yet
            return []
        cursor.execute("select dictname from pg_catalog.pg_ts_dict")
        dictionaries = {name for (name,) in cursor.fetchall()}
        cursor.execute("select cfgname from pg_catalog.pg_ts_config")
        there = {name for (name,) in cursor.fetchall()}
        for code, stemmer in wanted.items():
            config = f"education_{code.replace('-', '_')}"
            if f"{stemmer}_stem" not in dictionaries or config in there:
                continue
            # both names consist of small letters and underscores
            cursor.execute(f"create text search configuration {config} (copy = {stemmer})")
            # unaccent first, so that a reader may leave accents out
            cursor.execute(
                f"alter text search configuration {config}"
                f" alter mapping for hword, hword_part, word with unaccent, {stemmer}_stem"
            )
            Page.objects.using(using).filter(language=code).update(language=F("language"))
            made.append(code)
    return made


def stemmer_of(code: str) -> str:
    """Return the name that PostgreSQL's stemmer of a language would have, or ''."""
    # `pt-br` is stemmed as `pt`; of `Norwegian Bokmål` the first word counts
    name = str(LANG_INFO.get(code.partition("-")[0], {}).get("name", ""))
    word = name.partition(" ")[0].lower()
    return word if word.isascii() and word.isalpha() else ""
