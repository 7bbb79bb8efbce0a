"""The index of the front desk's filter. It is made beside the work: nobody waits for a lock.

Such an index that was stopped midway stays behind and is of no use, so it is dropped first: the
migration can be run again. It may take longer than a statement of a page may.
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
