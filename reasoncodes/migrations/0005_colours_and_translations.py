import reasoncodes.colours
import reasoncodes.languages
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reasoncodes', '0004_first_versions'),
    ]

    operations = [
        migrations.AlterField(
            model_name='historicalreasoncode',
            name='colour',
            field=models.CharField(blank=True, max_length=7, validators=[reasoncodes.colours.validate_colour]),
        ),
        migrations.AlterField(
            model_name='historicalreasoncode',
            name='translations',
            field=models.JSONField(blank=True, default=dict, validators=[reasoncodes.languages.validate_translations]),
        ),
        migrations.AlterField(
            model_name='reasoncode',
            name='colour',
            field=models.CharField(blank=True, max_length=7, validators=[reasoncodes.colours.validate_colour]),
        ),
        migrations.AlterField(
            model_name='reasoncode',
            name='translations',
            field=models.JSONField(blank=True, default=dict, validators=[reasoncodes.languages.validate_translations]),
        ),
    ]
