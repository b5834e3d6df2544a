from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0003_no_indexes_on_what_changes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='mediarequest',
            index=models.Index(condition=models.Q(('outcome', None)), fields=['login_id'], name='request_pending_of_user'),
        ),
    ]
