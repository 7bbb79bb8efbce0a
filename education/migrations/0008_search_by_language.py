"""Search each page with the stems of its language, found by the name of the language.

A language needs no migration: the trigger looks for the configuration `education_<code>`, which
`education.services.stems` makes after each `migrate`, and takes `education_simple` without one.
The configurations education_english and education_spanish are those of the release before, which
still asks with them.
"""

import django.contrib.postgres.search
from django.db import migrations

CONFIGS = """
create text search configuration education_simple (copy = simple);
alter text search configuration education_simple
    alter mapping for hword, hword_part, word with unaccent, simple;
create text search configuration education_en (copy = education_english);
create text search configuration education_es (copy = education_spanish);
"""
NO_CONFIGS = """
drop text search configuration education_es;
drop text search configuration education_en;
drop text search configuration education_simple;
"""
FUNCTIONS = """
create function education_search_config(language text) returns regconfig
language sql stable as $$
    select coalesce(
        (select oid from pg_catalog.pg_ts_config
            where cfgname = 'education_' || replace(language, '-', '_')
            and pg_catalog.pg_ts_config_is_visible(oid)),
        'education_simple'::regconfig::oid
    )::regconfig
$$;

create function education_page_search() returns trigger
language plpgsql as $$
declare
    config regconfig := education_search_config(new.language);
begin
    new.search := setweight(to_tsvector(config, coalesce(new.reader_title, '')), 'A')
        || setweight(to_tsvector(config, coalesce(new.reader_summary, '')), 'B')
        || setweight(to_tsvector(config, coalesce(new.reader_text, '')), 'C');
    return new;
end
$$;
"""
NO_FUNCTIONS = """
drop function education_page_search();
drop function education_search_config(text);
"""
# the column keeps its values: they are those that the trigger would write
TRIGGER = """
alter table education_page alter column search drop expression;
create trigger education_page_search before insert or update on education_page
    for each row execute function education_page_search();
"""


class Migration(migrations.Migration):
    dependencies = [("education", "0007_earlier_words")]

    operations = [
        migrations.RunSQL(CONFIGS, NO_CONFIGS),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TRIGGER)],
            state_operations=[
                migrations.AlterField(
                    model_name="page",
                    name="search",
                    field=django.contrib.postgres.search.SearchVectorField(
                        editable=False, null=True
                    ),
                ),
            ],
        ),
    ]
