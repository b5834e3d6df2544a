from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0005_no_index_of_nodes_alone'),
    ]

    operations = [
        migrations.AddField(
            model_name='loghead',
            name='check_digits',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='notification',
            name='check_digits',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='transportcursor',
            name='check_digits',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
