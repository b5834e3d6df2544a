from django.db import migrations, models
from django.db.models.functions import Lower

from finesse.db.names import tell_apart


def tell_names_apart(apps, schema_editor):
    rows = apps.get_model("media", "MediaRoutingDomain").objects
    tell_apart(rows.using(schema_editor.connection.alias), "name")


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0010_visible_names'),
    ]

    operations = [
        migrations.RunPython(tell_names_apart, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='mediaroutingdomain',
            name='name',
            field=models.CharField(max_length=64),
        ),
        migrations.AddConstraint(
            model_name='mediaroutingdomain',
            constraint=models.UniqueConstraint(Lower('name'), name='mrd_name_unique_without_case', violation_error_message='Another MRD has this name, in whatever case.'),
        ),
    ]
