from django.db import migrations, models

#: What was stocked before keeps the price of today: no older one is known.
_SQL = """
UPDATE points_daystock s SET value = r.value FROM points_reward r WHERE r.id = s.reward_id;
GRANT UPDATE (value) ON points_daystock TO cadres_app;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('points', '0005_add_year_end'),
    ]

    operations = [
        migrations.AddField(
            model_name='daystock',
            name='value',
            field=models.DecimalField(blank=True, decimal_places=2, editable=False, help_text='填写物品时的单价，以后改价不影响这一场', max_digits=8, null=True, verbose_name='单价（元）'),
        ),
        migrations.RunSQL(_SQL, migrations.RunSQL.noop),
    ]
