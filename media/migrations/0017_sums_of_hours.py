from django.db import migrations, models

INDEX = models.Index(fields=['mrd_id', 'login_id', 'started_at'], name='interval_of_media')


class AddIndexBesideTheService(migrations.AddIndex):
    """On PostgreSQL the writer goes on meanwhile: with millions of rows it would wait for long.

    It may be repeated. What an interrupted one has left there is no use, and is made again.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        sql = str(self.index.create_sql(model, schema_editor))
        schema_editor.execute(sql.replace('CREATE INDEX', 'CREATE INDEX CONCURRENTLY', 1))


def start_at_the_beginning(apps, schema_editor):
    # The worker makes the sums of the history from there.
    apps.get_model('media', 'SumHead').objects.using(schema_editor.connection.alias).create()


class Migration(migrations.Migration):

    # An index cannot be made beside the service in a transaction.
    atomic = False

    dependencies = [
        ('media', '0016_break_rules'),
        ('users', '0008_team_memberships'),
    ]

    operations = [
        AddIndexBesideTheService(model_name='stateinterval', index=INDEX),
        migrations.AlterField(
            model_name='stateinterval',
            name='ended_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='StaleHour',
            fields=[
                ('hour', models.PositiveIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name='SumHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('since', models.PositiveIntegerField(default=0)),
                ('upto', models.PositiveIntegerField(default=0)),
                ('correction', models.PositiveBigIntegerField(default=0)),
                ('version', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='sumhead_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='SumOfHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.PositiveIntegerField()),
                ('team_id', models.BigIntegerField(null=True)),
                ('mrd_id', models.PositiveIntegerField()),
                ('state', models.CharField(max_length=16)),
                ('reason_code_id', models.BigIntegerField(null=True)),
                ('micros', models.PositiveBigIntegerField()),
                ('began', models.PositiveIntegerField()),
                ('running', models.PositiveIntegerField()),
                ('longest', models.PositiveBigIntegerField()),
                ('over_began', models.PositiveIntegerField()),
                ('over_running', models.PositiveIntegerField()),
                ('over_micros', models.PositiveBigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['hour'], name='sum_of_hour'), models.Index(fields=['team_id', 'hour'], name='sum_of_hour_of_team')],
            },
        ),
        migrations.RunPython(start_at_the_beginning, migrations.RunPython.noop),
    ]
