import django.db.models.deletion
from django.db import migrations, models


def start_at_the_beginning(apps, schema_editor):
    # The worker counts the history from there.
    apps.get_model('media', 'UseHead').objects.using(schema_editor.connection.alias).create()


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0012_removed'),
        ('reasoncodes', '0004_first_versions'),
    ]

    operations = [
        migrations.CreateModel(
            name='UseHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('interval', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='usehead_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='LastUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('login_id', models.CharField(max_length=64)),
                ('day', models.DateField(db_index=True)),
                ('reason_code', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reasoncodes.reasoncode')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('reason_code', 'login_id'), name='last_use_once')],
            },
        ),
        migrations.CreateModel(
            name='UseOnDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('uses', models.PositiveIntegerField(default=0)),
                ('agents', models.PositiveIntegerField(default=0)),
                ('reason_code', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reasoncodes.reasoncode')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('reason_code', 'day'), name='use_on_day_once')],
            },
        ),
        migrations.RunPython(start_at_the_beginning, migrations.RunPython.noop),
    ]
