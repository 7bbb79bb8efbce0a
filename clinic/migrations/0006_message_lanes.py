"""Add the lanes of messages, and what a provider says of a sent message.

The two indexes lock the table while they are built. The table has the messages of
30 days: 0.2 seconds for 100,000 messages.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0004_sign_in'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='message',
            name='message_waiting',
        ),
        migrations.AddField(
            model_name='message',
            name='delivery',
            field=models.CharField(blank=True, choices=[('', 'not reported'), ('delivered', 'Delivered'), ('undelivered', 'Not delivered')], db_default='', max_length=11, verbose_name='delivery'),
        ),
        migrations.AddField(
            model_name='message',
            name='delivery_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='delivery_trouble',
            field=models.CharField(blank=True, db_default='', max_length=80),
        ),
        migrations.AddField(
            model_name='message',
            name='known',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name='message',
            name='lane',
            field=models.SmallIntegerField(choices=[(0, 'Alert to staff'), (1, 'One-time code'), (2, 'Ordinary')], db_default=2, default=2, verbose_name='lane'),
        ),
        migrations.AddField(
            model_name='message',
            name='provider_id',
            field=models.CharField(blank=True, db_default='', max_length=80),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['lane', 'next_at', 'id'], name='message_to_send'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='message_provider'),
        ),
    ]
