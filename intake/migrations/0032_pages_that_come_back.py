from django.db import migrations

import clinic.secrets.sealing


class Migration(migrations.Migration):
    dependencies = [
        ('intake', '0030_walk_counts'),
    ]

    operations = [
        migrations.AddField(
            model_name="challenge",
            name="returned",
            field=clinic.secrets.sealing.SealedField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="grant",
            name="returned",
            field=clinic.secrets.sealing.SealedField(editable=False, null=True),
        ),
    ]
