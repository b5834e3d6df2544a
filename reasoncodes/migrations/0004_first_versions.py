from django.db import migrations
from django.utils import timezone

KEPT = (
    "id", "category", "code", "label", "for_all", "system_code", "retired", "description",
    "translations", "colour", "place", "productive", "maximum_minutes", "warning_minutes",
)


def write_first_versions(apps, schema_editor):
    """What a reason code was before its history began: its first change is compared with it."""
    alias = schema_editor.connection.alias
    codes = apps.get_model("reasoncodes", "ReasonCode").objects.using(alias)
    versions = apps.get_model("reasoncodes", "HistoricalReasonCode").objects.using(alias)
    versions.bulk_create(
        versions.model(
            **{name: getattr(code, name) for name in KEPT},
            team_names={str(pk): name for pk, name in code.teams.values_list("pk", "name")},
            history_date=timezone.now(),
            history_type="+",
            history_change_reason="first",
        )
        for code in codes.order_by("pk")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('reasoncodes', '0003_meaning_and_history'),
    ]

    operations = [
        migrations.RunPython(write_first_versions, migrations.RunPython.noop, elidable=True),
    ]
