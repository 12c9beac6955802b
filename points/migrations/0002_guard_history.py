from django.db import migrations

from cadres.guards import append_only


class Migration(migrations.Migration):
    dependencies = [("points", "0001_add_rule"), ("cadres", "0002_add_app_role_and_guards")]

    operations = [append_only("points_ruleevent")]
