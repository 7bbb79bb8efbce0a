"""Mark what patients in danger wrote and sort it above all else; begin to escalate what waits.

Not in one transaction: patients send while rows are marked and indexes are built.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

from clinic import hours
from clinic.secrets.sealing import SealError

OPEN = ("new", "in_review", "waiting")
SAME_DAY = 3
ORDER = ['-alarm', '-urgency', 'target_at', 'id']
IS_WAITING = Q(
    Q(
        ('status__in', ('new', 'in_review')),
        Q(('back_at', None), ('status', 'waiting')),
        ('reply_due_at__isnull', False),
        ('escalate_at__isnull', False),
        _connector='OR',
    ),
    ('suspect', False),
)
ADDED = [
    models.Index(condition=IS_WAITING, fields=ORDER, name='submission_worklist'),
    models.Index(
        condition=Q(Q(('status__in', ('closed', 'withdrawn')), _negated=True), ('suspect', False)),
        fields=ORDER,
        name='submission_open',
    ),
    models.Index(
        condition=Q(('reply_due_at__isnull', False)), fields=ORDER, name='submission_answer_due'
    ),
    models.Index(condition=Q(('back_at__isnull', False)), fields=['back_at'], name='submission_back'),
    models.Index(fields=ORDER, name='submission_sorted'),
    models.Index(fields=['status', *ORDER[:3]], name='submission_by_status'),
    models.Index(fields=['assignee', *ORDER[:3]], name='submission_by_assignee'),
]
REMOVED = ['submission_waiting', 'submission_order', 'submission_status', 'submission_assignee']


def anew(index):
    """Create an index concurrently. An invalid index of a run that was stopped is dropped first."""
    drop = f"drop index concurrently if exists {index.name}"
    return [migrations.RunSQL(drop, migrations.RunSQL.noop), AddIndexConcurrently('submission', index)]


def begin(apps, schema_editor):
    """Start an escalation for each undecided red flag and each unanswered message of alarm.

    The first step comes one period from now, also for submissions that staff have opened.
    """
    Submission = apps.get_model("intake", "Submission")
    patience = timedelta(minutes=settings.ESCALATE_MINUTES)
    soon = hours.settings_hours().add_open(timezone.now(), patience)
    rows = Submission.objects.filter(escalate_at=None)
    undecided = Q(status__in=OPEN) | Q(status="withdrawn", reply_due_at__isnull=False)
    red = Q(kind="stopped") | Q(urgency__gte=SAME_DAY)
    if not settings.DEMO:  # no clinician waits for a demonstration's red flags
        rows.filter(undecided, red, suspect=False).update(escalate_at=soon)
    for row in Submission.objects.filter(reply_due_at__isnull=False).only("id"):
        if has_alarm(apps, row):
            Submission.objects.filter(pk=row.pk).update(alarm=True, suspect=False)
            rows.filter(pk=row.pk).update(escalate_at=soon)


def has_alarm(apps, row):
    """Whether the patient wrote alarm words after the clinic's last message.

    A message that cannot be opened counts as alarm words, so that staff look at it.
    """
    Communication = apps.get_model("intake", "Communication")
    letters = Communication.objects.filter(submission=row).order_by("-at", "-id")
    opened = Communication._meta.get_field("words").open_for
    for pk, by, words in letters.values_list("pk", "by", "words"):
        if by is not None:
            return False
        try:
            if opened(pk, words)["alarm"]:
                return True
        except SealError:
            return True
    return False


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('intake', '0012_waiting_for_patient'),
    ]

    operations = [
        migrations.RunSQL('set statement_timeout = 0; set lock_timeout = 0', migrations.RunSQL.noop),
        migrations.RunPython(begin, migrations.RunPython.noop),
        *(operation for index in ADDED for operation in anew(index)),
        *(RemoveIndexConcurrently('submission', name) for name in REMOVED),
        migrations.RunSQL('reset statement_timeout; reset lock_timeout', migrations.RunSQL.noop),
    ]
