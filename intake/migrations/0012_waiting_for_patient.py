from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0011_escalation'),
    ]

    operations = [
        migrations.AddField(
            model_name='submission',
            name='asked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='submission',
            name='back_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='submission',
            name='redirected_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
