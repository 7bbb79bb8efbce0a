"""Create the indexes of the worklist's tabs concurrently, and the table of saved filters.

If the migration is stopped midway, PostgreSQL keeps an invalid index. So the migration drops each
index first, and can be run again.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

import clinic.ids

WITHOUT_LIMITS = "set statement_timeout = 0", "set lock_timeout = 0"
WITH_LIMITS = "reset statement_timeout", "reset lock_timeout"
WORK = Q(reply_due_at__isnull=False), Q(escalate_at__isnull=False)
MINE = Q(Q(status__in=('new', 'in_review', 'waiting')) | WORK[0] | WORK[1]) & Q(suspect=False)
WAITING = (
    Q(status__in=('new', 'in_review')) | Q(status='waiting', back_at=None) | WORK[0] | WORK[1]
) & Q(suspect=False)
CALL_BACK = (
    Q(status='waiting', back_at=None)
    | Q(redirected_at__isnull=False, status__in=('new', 'in_review', 'waiting'))
    | (WORK[1] & ~Q(status__in=('new', 'in_review', 'waiting')))
) & Q(suspect=False)


def anew(model, index):
    drop = f"drop index concurrently if exists {index.name}"
    return [migrations.RunSQL(drop, migrations.RunSQL.noop), AddIndexConcurrently(model, index)]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('intake', '0037_chart_details'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(WITHOUT_LIMITS, WITH_LIMITS),
        *anew('decision', models.Index(fields=['at'], name='decision_at')),
        *anew(
            'submission',
            models.Index(
                condition=MINE,
                fields=['assignee', '-alarm', '-urgency', 'target_at'],
                name='submission_mine',
            ),
        ),
        *anew(
            'submission',
            models.Index(
                condition=CALL_BACK,
                fields=['-alarm', '-urgency', 'target_at', 'id'],
                name='submission_call_back',
            ),
        ),
        *anew(
            'submission',
            models.Index(condition=WAITING, fields=['target_at'], name='submission_due'),
        ),
        *anew(
            'submission',
            models.Index(condition=WORK[0], fields=['reply_due_at'], name='submission_reply_due'),
        ),
        migrations.RunSQL(WITH_LIMITS, WITHOUT_LIMITS),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.UUIDField(default=clinic.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('slug', models.SlugField(db_index=False, max_length=40)),
                ('query', models.CharField(max_length=400)),
                ('is_shared', models.BooleanField(default=False)),
                ('owner', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'id'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('owner', 'slug'), name='saved_filter_once')],
            },
        ),
    ]
