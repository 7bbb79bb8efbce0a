from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0010_draft_device'),
    ]

    operations = [
        migrations.AddField(
            model_name='submission',
            name='alarm',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
