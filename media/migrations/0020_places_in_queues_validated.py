from django.db import migrations

from finesse.db.constraints import ValidateConstraint


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0019_places_in_queues'),
    ]

    operations = [
        ValidateConstraint('mediarequest', 'request_one_outcome'),
    ]
