from django.db import migrations

from cadres.guards import append_only, no_overlap

HISTORY = [
    "branches_branchaliasevent",
    "branches_branchevent",
    "branches_committeeseatevent",
    "branches_importbatchevent",
    "branches_membershipevent",
]


class Migration(migrations.Migration):
    dependencies = [("branches", "0001_initial"), ("cadres", "0002_add_app_role_and_guards")]

    operations = [
        *[append_only(table) for table in HISTORY],
        no_overlap(
            "branches_membership",
            "membership_one_affiliated",
            "retiree_id",
            "kind = 'affiliated'",
        ),
        no_overlap(
            "branches_membership", "membership_one_served", "retiree_id", "kind = 'served'"
        ),
        no_overlap(
            "branches_membership",
            "membership_no_overlap",
            "retiree_id branch_id",
            "kind = 'participating'",
        ),
        no_overlap(
            "branches_committeeseat",
            "seat_one_secretary",
            "branch_id",
            "kind = 'secretary'",
        ),
    ]
