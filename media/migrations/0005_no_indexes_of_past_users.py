from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0004_pending_of_user'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='mediarequest',
            name='request_of_user',
        ),
        migrations.RemoveIndex(
            model_name='stateinterval',
            name='interval_of_media',
        ),
    ]
