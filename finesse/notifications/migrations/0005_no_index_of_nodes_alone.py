from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_notification_of_node'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='notification',
            name='notification_node',
        ),
    ]
