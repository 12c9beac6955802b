"""What each column of ours says about a person. A new column is not written without a line here.

public      may stand on a wall: names of places, units, branches; rules
internal    how the office works: keys, states, who did what and when
personal    says something about a person: name, dates, class, branch, points
sensitive   would do harm in the wrong hands: identity numbers, phones, addresses, health, what
            is told of a visit, passwords, and files and rows as they came
"""

from dataclasses import dataclass

from django.apps import apps
from django.db import models

APPS = ("cadres", "points", "branches", "volunteering", "suggestions")
LEVELS = ("public", "internal", "personal", "sensitive")


@dataclass(frozen=True)
class Columns:
    """The columns of a model, by level; names apart by blanks."""

    public: str = ""
    internal: str = ""
    personal: str = ""
    sensitive: str = ""

    def levels(self) -> list[tuple[str, str]]:
        """(column, level), as often as it is named."""
        return [(name, level) for level in LEVELS for name in getattr(self, level).split()]


_NAMED = "id name"
_DECIDED = "state asked_by asked_at decided_by decided_at"

TABLE = {
    # ---- places and units ----------------------------------------------------------------------
    "cadres.Area": Columns(public=f"{_NAMED} brand"),
    "cadres.Township": Columns(public=f"{_NAMED} code area"),
    "cadres.Community": Columns(public=f"{_NAMED} code short_name township"),
    "cadres.TownshipAlias": Columns(public=f"{_NAMED} township", internal="note"),
    "cadres.CommunityAlias": Columns(public=f"{_NAMED} community township"),
    "cadres.Unit": Columns(public=f"{_NAMED} nature sector unit_level"),
    "cadres.UnitAlias": Columns(public=f"{_NAMED} unit"),
    # ---- people --------------------------------------------------------------------------------
    "cadres.Retiree": Columns(
        internal="id registered_on created_at updated_at",
        personal="name name_pinyin sex ethnic_group birth_date work_started political_status"
        " party_joined retired_on retirement_kind unit former_post rank treatment"
        " emergency_contact township community lives_in_county activity_class skills status"
        " moved_away_on died_on",
        sensitive="search_key id_number id_number_digest phone phone_digest second_phone"
        " second_phone_digest emergency_phone emergency_phone_digest address address_digest"
        " health remark",
    ),
    "cadres.Residence": Columns(
        internal="id source",
        personal="retiree township community since until",
        sensitive="address address_digest",
    ),
    "cadres.Absence": Columns(internal="id", personal="retiree since until"),
    "cadres.ClassChange": Columns(
        internal="id source decided_by created_at",
        personal="retiree activity_class effective_from until",
        sensitive="reason_kind reason",
    ),
    "cadres.ClassReview": Columns(
        internal="id change reviewed_by created_at",
        personal="retiree reviewed_on outcome suggested",
        sensitive="why reason",
    ),
    "cadres.CareRecord": Columns(
        internal="id entered_by created_at is_void void_reason",
        personal="retiree on until",
        sensitive="kind place visitors given words",
    ),
    "cadres.Announcement": Columns(
        internal="id created_by created_at", personal="title text retiree"
    ),
    # ---- users, and what they did --------------------------------------------------------------
    "cadres.User": Columns(
        internal="id last_login is_superuser username community password_changed_at"
        " must_change_password is_staff is_active date_joined groups user_permissions",
        personal="name retiree",
        sensitive="password phone phone_digest",
    ),
    "cadres.AccessEntry": Columns(
        internal="id at user kind secret export people reason", personal="retiree"
    ),
    "cadres.Export": Columns(
        internal=f"id kind title is_full people reason {_DECIDED} expires_at job",
        personal="params filter_words",
        sensitive="file",
    ),
    "cadres.Job": Columns(
        internal="id kind title params state done total words result_url attempts asked_by"
        " created_at started_at finished_at"
    ),
    "cadres.Heartbeat": Columns(internal="name beat_at"),
    "cadres.StoredFigures": Columns(internal="name numbers counted_at"),
    # ---- branches ------------------------------------------------------------------------------
    "branches.Branch": Columns(public=f"{_NAMED} area township founded_on brand"),
    "branches.BranchAlias": Columns(public=f"{_NAMED} branch"),
    "branches.Membership": Columns(
        internal="id source", personal="retiree branch kind since until"
    ),
    "branches.CommitteeSeat": Columns(
        internal="id", personal="branch retiree kind since until"
    ),
    "branches.ImportBatch": Columns(
        internal="id file_name checksum purpose scope effective_on state refusal rows created"
        " updated unchanged rejected missing fingerprint watermarks uploaded_by uploaded_at"
        " confirmed_by written_at closed_at emptied_at job",
        sensitive="upload notes",
    ),
    "branches.StagedRow": Columns(
        internal="id batch position sheet row verdict",
        personal="retiree name name_pinyin search_words sex ethnic_group birth_date work_started"
        " political_status party_joined retired_on retirement_kind unit former_post rank"
        " treatment township community branch activity_class skills",
        sensitive="problems findings changes proposal cells id_number id_number_digest phone"
        " phone_digest second_phone second_phone_digest address address_digest health remark",
    ),
    "branches.MissingPerson": Columns(
        internal="id batch ruled_by ruled_at", personal="retiree ruling"
    ),
    # ---- points --------------------------------------------------------------------------------
    "points.Rule": Columns(
        public="id code valid_from name direction points per cap_per_cycle verified_by cause"
        " credited is_enabled"
    ),
    "points.Cycle": Columns(
        public="id year starts_on ends_on redeem_until status published_at carry_percent carry_cap"
    ),
    "points.Account": Columns(
        internal="id cycle kind", personal="retiree balance frozen_at frozen_why"
    ),
    "points.Transfer": Columns(
        internal="id cycle kind rule posting shortfall key reverses posted_at posted_by"
        " approved_by",
        personal="from_account to_account amount occurred_on memo",
    ),
    "points.Posting": Columns(
        internal="id source rule code revision state waits_why is_reversal_waiting transfer sent_by"
        " decided_by decided_at",
        personal="retiree account occurred_on due posted cut short memo reason",
    ),
    "points.Shortfall": Columns(
        internal="id posting waived_by asked_by created_at",
        personal="retiree amount left waived cancelled reason",
    ),
    "points.Adjustment": Columns(
        internal=f"id cycle rule {_DECIDED} words", personal="retiree amount occurred_on reason"
    ),
    "points.Settlement": Columns(
        internal=f"id kind {_DECIDED} words", personal="account receiver reason"
    ),
    "points.AuditRun": Columns(internal="id ran_at transfers findings seconds"),
    # ---- redemption ----------------------------------------------------------------------------
    "points.Reward": Columns(public=f"{_NAMED} kind points picture is_offered", internal="value"),
    "points.RedemptionDay": Columns(
        public="id cycle date opens_at closes_at place status", internal="operators"
    ),
    "points.DayStock": Columns(public="id day reward points value brought per_person taken"),
    "points.Redemption": Columns(
        internal="id day state key transfer reserved_by ended_by",
        personal="retiree points reserved_at ended_at collector relation",
    ),
    "points.RedemptionLine": Columns(internal="id redemption", personal="stock quantity points"),
    # ---- the year's end ------------------------------------------------------------------------
    "points.Rollover": Columns(internal="id cycle posted_on accounts started_by started_at job"),
    # What is published holds no full name: sums by branch, and names with stars.
    "points.PublicNotice": Columns(
        public="id kind cycle quarter with_names snapshot opens_on closes_on",
        internal="state made_by made_at published_by withdrawn_by reason",
    ),
    "points.Objection": Columns(
        internal="id notice raised_by raised_at is_justified answered_by answered_at posting"
        " confirmed_by confirmed_at",
        personal="retiree caller text answer",
    ),
    "points.Threshold": Columns(public="id cycle kind points amount", internal="set_by"),
    "points.CommendationList": Columns(
        public="id cycle kind points", internal=f"{_DECIDED} words"
    ),
    "points.Commendation": Columns(
        internal="id list cycle kind", personal="retiree earned amount number"
    ),
}  # fmt: skip


def our_models() -> list[type[models.Model]]:
    """Every model with a table of its own, without the history's."""
    found = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return [m for m in found if not m._meta.proxy and not hasattr(m, "pgh_tracked_model")]


def columns_of(model: type[models.Model]) -> set[str]:
    return {field.name for field in [*model._meta.fields, *model._meta.many_to_many]}


def faults(table: dict[str, Columns] = TABLE) -> list[str]:
    """Columns of which nothing is said, or twice, and lines about what is gone."""
    real = {f"{m._meta.label}.{column}" for m in our_models() for column in columns_of(m)}
    said = [f"{label}.{name}" for label, columns in table.items() for name, _ in columns.levels()]
    twice = {column for column in said if said.count(column) > 1}
    return sorted(
        [f"{column}: nothing is said of it" for column in real - {*said}]
        + [f"{column}: there is no such column" for column in {*said} - real]
        + [f"{column}: said twice" for column in twice]
    )


def sensitive(model: type[models.Model]) -> set[str]:
    """The model's columns that would do harm; none for one that is not ours."""
    columns = TABLE.get(model._meta.label)
    return set(columns.sensitive.split()) if columns else set()


def says_nothing_of_people(model: type[models.Model]) -> set[str]:
    """The model's columns that are public or the office's own."""
    columns = TABLE.get(model._meta.label, Columns())
    return {*columns.public.split(), *columns.internal.split()}
