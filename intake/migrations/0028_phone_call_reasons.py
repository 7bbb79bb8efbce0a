from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0027_entered_by_phone'),
    ]

    operations = [
        migrations.AlterField(
            model_name='calltask',
            name='reason',
            field=models.CharField(choices=[('message', 'A message from us waits to be read'), ('more', 'We need more information'), ('offer', 'Times are offered'), ('lost', 'The offered time is gone'), ('confirmed', 'The appointment is booked'), ('changed', 'The appointment is moved'), ('cancelled', 'The appointment is cancelled'), ('nurse', 'A nurse asks what was not asked by phone'), ('reference', 'The patient does not have the reference number yet'), ('line', 'The line broke at an emergency')], max_length=16, verbose_name='reason'),
        ),
    ]
