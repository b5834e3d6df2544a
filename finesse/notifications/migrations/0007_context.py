from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0006_check_digits'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='context',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
    ]
