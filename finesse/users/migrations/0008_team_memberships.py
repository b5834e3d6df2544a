from datetime import UTC, datetime

from django.db import migrations, models


def begin_with_the_present_teams(apps, schema_editor):
    """What was before is not known: who is in a team has always been in it."""
    alias = schema_editor.connection.alias
    users = apps.get_model('users', 'User').objects.using(alias).order_by('pk')
    memberships = apps.get_model('users', 'TeamMembership').objects.using(alias)
    rows = users.values_list('pk', 'team', 'team__name')
    memberships.bulk_create(
        (
            memberships.model(
                login_id=login_id,
                team_id=team,
                team_name=name or '',
                started_at=datetime(1970, 1, 1, tzinfo=UTC),
            )
            for login_id, team, name in rows.iterator()
        ),
        batch_size=1_000,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0007_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='TeamMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('login_id', models.CharField(max_length=64, verbose_name='login ID')),
                ('team_id', models.BigIntegerField(null=True)),
                ('team_name', models.CharField(blank=True, max_length=64, verbose_name='team')),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ('id',),
                'indexes': [models.Index(fields=['team_id'], name='membership_team'), models.Index(fields=['login_id', 'started_at'], name='membership_login_id')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('login_id',), name='membership_one_open'), models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='membership_order')],
            },
        ),
        migrations.RunPython(begin_with_the_present_teams, migrations.RunPython.noop),
    ]
