from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The worklist's index under its new condition. The index of the release before stays."""

    # built while patients send
    atomic = False

    dependencies = [
        ('intake', '0012_waiting_for_patient'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='submission',
            index=models.Index(condition=models.Q(models.Q(('status__in', ('new', 'in_review')), models.Q(('back_at', None), ('status', 'waiting')), ('reply_due_at__isnull', False), _connector='OR'), ('suspect', False)), fields=['-urgency', 'target_at', 'id'], name='submission_in_triage'),
        ),
        AddIndexConcurrently(
            model_name='submission',
            index=models.Index(condition=models.Q(('back_at__isnull', False)), fields=['back_at'], name='submission_back'),
        ),
    ]
