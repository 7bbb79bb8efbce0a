"""Keep corrected contacts, and what the rules say of a corrected birth date."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.ids
import clinic.secrets.sealing

LEVELS = [(4, 'Emergency'), (3, 'Same day'), (2, 'Urgent'), (1, 'Soon'), (0, 'Routine')]


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0040_decisions_can_be_undone'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='submission',
            name='recheck_urgency',
            field=models.SmallIntegerField(blank=True, choices=LEVELS, null=True),
        ),
        migrations.CreateModel(
            name='ContactCorrection',
            fields=[
                ('id', models.UUIDField(default=clinic.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('words', clinic.secrets.sealing.SealedField()),
                ('checked', models.CharField(max_length=80)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submission', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='intake.submission')),
            ],
            options={
                'ordering': ['-at', '-id'],
                'default_permissions': (),
            },
        ),
    ]
