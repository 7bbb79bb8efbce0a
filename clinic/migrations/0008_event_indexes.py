"""Index the audit trail by the records that a list showed, and by time.

"Who read this record" asks for events whose subject is the record, which has an index, and for
lists and searches that showed it: `ids` in their detail. The indexes are built concurrently, so
that no act waits for them. If the migration is stopped midway, PostgreSQL keeps an invalid index;
the migration drops it first, and can be run again.
"""

from django.db import migrations

WITHOUT_LIMITS = "set statement_timeout = 0", "set lock_timeout = 0"
WITH_LIMITS = "reset statement_timeout", "reset lock_timeout"
INDEXES = {
    # Without the list of pending entries: one commit in many would have to empty that list while
    # it holds the lock of the chain.
    "event_ids": "using gin ((detail -> 'ids')) with (fastupdate = off)",
    # What left the clinic is one event in many, so without an index the whole trail would be read.
    "event_left": "(seq) where action in ('print', 'export')",
    # Times grow with the numbers of the events, so a block range index is small and exact.
    "event_at": "using brin (at)",
}


def made(name, columns):
    drop = f"drop index concurrently if exists aud.{name}"
    return [
        migrations.RunSQL(drop, migrations.RunSQL.noop),
        migrations.RunSQL(f"create index concurrently {name} on aud.event {columns}", drop),
    ]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('clinic', '0007_message_channel')]

    operations = [
        migrations.RunSQL(WITHOUT_LIMITS, WITH_LIMITS),
        *(step for name, columns in INDEXES.items() for step in made(name, columns)),
        migrations.RunSQL(WITH_LIMITS, WITHOUT_LIMITS),
    ]
