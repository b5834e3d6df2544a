import django.core.validators
import django.db.models.deletion
import media.break_tables
import media.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0015_stepping_in'),
        ('reasoncodes', '0005_colours_and_translations'),
        ('users', '0007_accounts'),
    ]

    operations = [
        # The values of its condition are those of the class: on an older database, of then.
        migrations.RemoveConstraint(
            model_name='mediarequest',
            name='request_cause',
        ),
        migrations.AlterField(
            model_name='mediarequest',
            name='cause',
            field=models.CharField(choices=[('self', 'the agent'), ('supervisor', 'a supervisor'), ('system', 'the system'), ('limit', 'the system, as the time for the reason was over'), ('inactive', 'the system, as the user was deactivated'), ('removed', 'the system, as the user was taken out of the MRD'), ('deleted', 'the system, as the user was deleted')], default='self', max_length=10),
        ),
        migrations.AlterField(
            model_name='stateinterval',
            name='cause',
            field=models.CharField(choices=[('self', 'the agent'), ('supervisor', 'a supervisor'), ('system', 'the system'), ('limit', 'the system, as the time for the reason was over'), ('inactive', 'the system, as the user was deactivated'), ('removed', 'the system, as the user was taken out of the MRD'), ('deleted', 'the system, as the user was deleted')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='mediarequest',
            constraint=models.CheckConstraint(
                condition=models.Q(cause__in=media.models.Cause),
                name='request_cause',
            ),
        ),
        migrations.CreateModel(
            name='BreakRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('most_at_once', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(999)], verbose_name='most at once')),
                ('maximum_minutes', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='longest stay')),
                ('budget_minutes', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='time a day')),
                ('time_zone', models.CharField(blank=True, max_length=64)),
                ('tell_agent_after', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1440)], verbose_name='tell the agent')),
                ('tell_supervisors_after', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1440)], verbose_name='tell the supervisors')),
                ('then', models.CharField(choices=[('nothing', 'Nothing'), ('ready', 'Ready'), ('not_ready', 'Not ready, for another reason'), ('sign_out', 'Sign out')], default='nothing', max_length=9)),
                ('then_after', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1440)], verbose_name='then')),
                ('reason_code', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reasoncodes.reasoncode', verbose_name='reason')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.team')),
                ('then_reason_code', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reasoncodes.reasoncode', verbose_name='other reason')),
            ],
            options={
                'verbose_name': 'break rule',
                'ordering': ('reason_code__label', models.OrderBy(models.F('team__name'), nulls_first=True)),
                'constraints': [models.UniqueConstraint(condition=models.Q(('team__isnull', False)), fields=('team', 'reason_code'), name='breakrule_one_of_team', violation_error_message='This team has a rule for this reason already.'), models.UniqueConstraint(condition=models.Q(('team', None)), fields=('reason_code',), name='breakrule_one_for_all', violation_error_message='There is a rule for this reason and all teams already.'), models.CheckConstraint(condition=models.Q(('then__in', media.break_tables.Then)), name='breakrule_then'), models.CheckConstraint(condition=models.Q(models.Q(('then', 'nothing'), ('then_after', None)), models.Q(models.Q(('then', 'nothing'), _negated=True), ('then_after__isnull', False)), _connector='OR'), name='breakrule_then_after'), models.CheckConstraint(condition=models.Q(models.Q(('then', 'not_ready'), ('then_reason_code__isnull', False)), models.Q(models.Q(('then', 'not_ready'), _negated=True), ('then_reason_code', None)), _connector='OR'), name='breakrule_then_reason')],
            },
        ),
        migrations.CreateModel(
            name='BreakStay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('login_id', models.CharField(max_length=64)),
                ('began_at', models.DateTimeField()),
                ('budget_over_at', models.DateTimeField(null=True)),
                ('basis', models.CharField(max_length=120)),
                ('agent_told', models.BooleanField(default=False)),
                ('supervisors_told', models.BooleanField(default=False)),
                ('ended', models.BooleanField(default=False)),
                ('reason_code', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reasoncodes.reasoncode')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('login_id', 'reason_code'), name='break_stay_once')],
            },
        ),
    ]
