from django.db import migrations, models


class Migration(migrations.Migration):
    """Made while the old one is still there, and not in one transaction with its end: what is
    read meanwhile does not have to wait."""

    dependencies = [
        ('notifications', '0003_subscriptions'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(models.Func(models.F('position'), output_field=models.BigIntegerField(), template='(%(expressions)s / 16384)'), models.F('node'), models.F('position'), name='notification_of_node'),
        ),
    ]
