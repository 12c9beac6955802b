from django.db import migrations

from cadres.guards import append_only, create_app_role, no_overlap

HISTORY = [
    "cadres_areaevent",
    "cadres_classchangeevent",
    "cadres_communityevent",
    "cadres_residenceevent",
    "cadres_retireeevent",
    "cadres_townshipaliasevent",
    "cadres_townshipevent",
    "cadres_unitaliasevent",
    "cadres_unitevent",
    "cadres_userevent",
]


class Migration(migrations.Migration):
    dependencies = [("cadres", "0001_initial")]

    operations = [
        create_app_role(),
        *[append_only(table) for table in HISTORY],
        no_overlap("cadres_residence", "residence_no_overlap", "retiree_id"),
        migrations.RunSQL(
            """
            ALTER TABLE cadres_community
                ADD CONSTRAINT community_with_township UNIQUE (id, township_id);
            ALTER TABLE cadres_retiree ADD CONSTRAINT retiree_community_of_township
                FOREIGN KEY (community_id, township_id)
                REFERENCES cadres_community (id, township_id) DEFERRABLE INITIALLY DEFERRED;
            ALTER TABLE cadres_retiree ADD CONSTRAINT retiree_birth_as_id_number CHECK (
                id_number IS NULL OR birth_date = '' OR birth_date = substr(id_number, 7, 4)
                || '-' || substr(id_number, 11, 2) || '-' || substr(id_number, 13, 2));
            """,
            """
            ALTER TABLE cadres_retiree DROP CONSTRAINT retiree_birth_as_id_number;
            ALTER TABLE cadres_retiree DROP CONSTRAINT retiree_community_of_township;
            ALTER TABLE cadres_community DROP CONSTRAINT community_with_township;
            """,
        ),
    ]
