import django.db.models.deletion
import media.states
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0013_use_of_reason_codes'),
        ('reasoncodes', '0005_colours_and_translations'),
    ]

    operations = [
        migrations.CreateModel(
            name='IntervalCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.PositiveIntegerField(null=True)),
                ('label', models.CharField(blank=True, max_length=40)),
                ('actor', models.CharField(max_length=64)),
                ('note', models.CharField(blank=True, db_default='', default='', max_length=255)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='mediarequest',
            name='request_requested',
        ),
        migrations.AddField(
            model_name='mediarequest',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=255),
        ),
        migrations.AddField(
            model_name='stateinterval',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=255),
        ),
        migrations.AlterField(
            model_name='mediarequest',
            name='requested',
            field=models.CharField(choices=[('LOGIN', 'LOGIN'), ('READY', 'READY'), ('NOT_READY', 'NOT_READY'), ('LOGOUT', 'LOGOUT'), ('ACTIVE', 'ACTIVE'), ('ROUTABLE', 'ROUTABLE'), ('NOT_ROUTABLE', 'NOT_ROUTABLE'), ('FORCED_LOGOUT', 'FORCED_LOGOUT'), ('CONNECTION_LOST', 'CONNECTION_LOST'), ('CORRECT_REASON', 'CORRECT_REASON')], max_length=16),
        ),
        migrations.AddConstraint(
            model_name='mediarequest',
            constraint=models.CheckConstraint(condition=models.Q(('requested__in', [media.states.Requested['LOGIN'], media.states.Requested['READY'], media.states.Requested['NOT_READY'], media.states.Requested['LOGOUT'], media.states.Requested['ACTIVE'], media.states.Requested['ROUTABLE'], media.states.Requested['NOT_ROUTABLE'], media.states.Requested['FORCED_LOGOUT'], media.states.Requested['CONNECTION_LOST'], media.states.Requested['CORRECT_REASON']])), name='request_requested'),
        ),
        migrations.AddField(
            model_name='intervalcorrection',
            name='interval',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='media.stateinterval'),
        ),
        migrations.AddField(
            model_name='intervalcorrection',
            name='reason_code',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reasoncodes.reasoncode'),
        ),
    ]
