from django.db import migrations, models

import media.models

CAUSES = [
    ('self', 'the agent'),
    ('supervisor', 'a supervisor'),
    ('system', 'the system'),
    ('inactive', 'the system, as the user was deactivated'),
    ('removed', 'the system, as the user was taken out of the MRD'),
    ('deleted', 'the system, as the user was deleted'),
]


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0011_names_of_mrds_without_case'),
    ]

    operations = [
        # As in 0009: a database that exists knows the former members only.
        migrations.RemoveConstraint(
            model_name='mediarequest',
            name='request_cause',
        ),
        migrations.AlterField(
            model_name='mediarequest',
            name='cause',
            field=models.CharField(choices=CAUSES, default='self', max_length=10),
        ),
        migrations.AlterField(
            model_name='stateinterval',
            name='cause',
            field=models.CharField(choices=CAUSES, max_length=10),
        ),
        migrations.AddConstraint(
            model_name='mediarequest',
            constraint=models.CheckConstraint(
                condition=models.Q(cause__in=media.models.Cause),
                name='request_cause',
            ),
        ),
    ]
