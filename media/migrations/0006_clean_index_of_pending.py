from django.db import migrations

# A request leaves the index of the pending ones when it is applied, but its entry stays there until
# VACUUM takes it out, and each batch would pass all that are left. By itself PostgreSQL leaves the
# indexes out of a VACUUM while less than a fiftieth of the table's pages has changed.
SET = """ALTER TABLE media_mediarequest
SET (vacuum_index_cleanup = on, autovacuum_vacuum_scale_factor = 0.01)"""
RESET = """ALTER TABLE media_mediarequest
RESET (vacuum_index_cleanup, autovacuum_vacuum_scale_factor)"""


def clean_the_index(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(SET)


def leave_it_to_postgresql(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(RESET)


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0005_no_indexes_of_past_users'),
    ]

    operations = [
        migrations.RunPython(clean_the_index, leave_it_to_postgresql),
    ]
