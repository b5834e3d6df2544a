from django.db import migrations

from finesse.db.names import mend


def mend_names(apps, schema_editor):
    mrds = apps.get_model("media", "MediaRoutingDomain").objects
    mend(mrds.using(schema_editor.connection.alias), ("name", "description"))


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0009_deactivated'),
    ]

    operations = [
        migrations.RunPython(mend_names, migrations.RunPython.noop, elidable=True),
    ]
