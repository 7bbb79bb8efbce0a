"""Create the index of the front desk's filter concurrently, without locking the table.

If the migration is stopped midway, PostgreSQL keeps an invalid index. So the migration drops the
index first, and can be run again. It has no time limit, because it may take longer than the limit
for the statements of a page.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

WITHOUT_LIMITS = "set statement_timeout = 0", "set lock_timeout = 0"
WITH_LIMITS = "reset statement_timeout", "reset lock_timeout"


def anew(model, index):
    drop = f"drop index concurrently if exists {index.name}"
    return [migrations.RunSQL(drop, migrations.RunSQL.noop), AddIndexConcurrently(model, index)]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('intake', '0007_calls'),
    ]

    operations = [
        migrations.RunSQL(WITHOUT_LIMITS, WITH_LIMITS),
        *anew(
            'appointmentrequest',
            models.Index(fields=['progress', 'submission'], name='request_progress'),
        ),
        migrations.RunSQL(WITH_LIMITS, WITHOUT_LIMITS),
    ]
