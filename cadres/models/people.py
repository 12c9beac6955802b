"""Retired cadres, where they live and which activity class they are in, both kept as ledgers."""

import datetime
import re

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import timezone

from cadres.cleaning import read_phone
from cadres.dates import PARTIAL_DATE, PartialDateField, age_on, latest_birth_for_age
from cadres.history import tracked
from cadres.masking import digest, mask_id_number, mask_phone
from cadres.models.places import Community, Township
from cadres.models.units import Unit
from cadres.names import pinyin_of, search_tokens


class Sex(models.TextChoices):
    """性别"""

    MALE = "M", "男"
    FEMALE = "F", "女"


class ActivityClass(models.TextChoices):
    """活动类别"""

    A = "A", "正常活动"
    B = "B", "适当参加活动"
    C = "C", "不能参加活动"


class PoliticalStatus(models.TextChoices):
    """政治面貌"""

    MEMBER = "member", "中共党员"
    PROBATIONARY = "probationary", "中共预备党员"
    DEMOCRATIC = "democratic", "民主党派"
    MASSES = "masses", "群众"
    UNKNOWN = "unknown", "未知"


PARTY_MEMBERS = (PoliticalStatus.MEMBER, PoliticalStatus.PROBATIONARY)


class RetirementKind(models.TextChoices):
    """离退休类别"""

    HONOURED = "honoured", "离休"
    ORDINARY = "ordinary", "退休"


class Status(models.TextChoices):
    """人员状态"""

    ACTIVE = "active", "在册"
    MOVED_AWAY = "moved_away", "已转出"
    DECEASED = "deceased", "已去世"


#: Columns that hold a personal number or address, and the digest column beside each.
DIGESTED = {
    "id_number": "id_number_digest",
    "phone": "phone_digest",
    "second_phone": "second_phone_digest",
    "emergency_phone": "emergency_phone_digest",
    "address": "address_digest",
}


_RANKS = """
WITH RECURSIVE known AS (
    SELECT min(rank) AS rank FROM cadres_retiree WHERE rank > ''
    UNION ALL
    SELECT (SELECT min(r.rank) FROM cadres_retiree r WHERE r.rank > known.rank) FROM known
    WHERE known.rank IS NOT NULL
)
SELECT rank FROM known WHERE rank IS NOT NULL
"""


class RetireeQuerySet(models.QuerySet):
    def active(self):
        return self.filter(status=Status.ACTIVE)

    def aged(self, low: int, high: int | None, on: datetime.date):
        """People of `low` to `high` full years (both included) on a day."""
        found = self.exclude(birth_date="").filter(old_enough(low, on))
        return found if high is None else found.exclude(old_enough(high + 1, on))

    def ranks(self) -> list[str]:
        """The ranks that occur, in order: from one to the next in their index, not through it."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(_RANKS)
            return [rank for (rank,) in cursor.fetchall()]

    def search(self, words: str, *, by_number: bool = True):
        """By name, pinyin, initials (beginnings), whole phone, or id number or its last four.

        Without `by_number` words with digits find nobody: who may not see numbers must not
        learn by asking whether a guess is right.
        """
        words = words.replace("·", "").replace("\0", " ").strip()
        if not by_number and any(character.isdigit() for character in words):
            return self.none()
        if re.fullmatch(r"[\d\s-]{7,}[xX]?", words):
            return self._with_number(re.sub(r"[\s-]", "", words).upper())
        found = self
        for word in words.split()[:5]:
            found = found.filter(_found_by(word[:60]))
        return found

    def _with_number(self, number: str):
        """By an identity number or a phone, as they are typed: with blanks, without area code."""
        if len(number) == 18:
            return self.filter(id_number=number)
        return self.filter(_found_by(read_phone(number) or number[:60]))


def old_enough(age: int, on: datetime.date) -> Q:
    """A birthday of which only the month is known counts from the first of the next month on."""
    latest = latest_birth_for_age(age, on)
    return Q(birth_date__lte=latest) & ~Q(birth_date=latest[:7])


def _found_by(word: str) -> Func:
    """Digits must match a whole token, so that a number cannot be guessed digit by digit."""
    quoted = "'" + word.lower().replace("\\", "\\\\").replace("'", "''") + "'"
    is_number = any(c.isdigit() for c in word)
    return Func(
        F("search_key"),
        Value(quoted if is_number else quoted + ":*"),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=models.BooleanField(),
    )


def listed(field: str, choices, name: str, optional: bool = False) -> models.CheckConstraint:
    values = [*choices.values, ""] if optional else choices.values
    return models.CheckConstraint(
        condition=Q(**{f"{field}__in": values}),
        name=name,
        violation_error_message="请在列表中选择。",
    )


def _not_before(later: str, earlier: str, name: str, message: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{later: ""}) | Q(**{earlier: ""}) | Q(**{f"{later}__gte": Left(earlier, 7)}),
        name=name,
        violation_error_message=message,
    )


def _partial(field: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{field: ""}) | Q(**{f"{field}__regex": PARTIAL_DATE}),
        name=f"retiree_{field}_form",
        violation_error_message="日期请写成 1953-07 或 1953-07-15。",
    )


@tracked(
    exclude=(
        "id_number",
        "phone",
        "second_phone",
        "emergency_phone",
        "address",
        "search_key",
        "updated_at",
    )
)
class Retiree(models.Model):
    """离退休干部（老同志）"""

    name = models.CharField("姓名", max_length=60)
    name_pinyin = models.CharField("姓名拼音", max_length=240, editable=False)
    search_key = SearchVectorField(null=True, editable=False)
    sex = models.CharField("性别", max_length=1, choices=Sex, blank=True)
    ethnic_group = models.CharField("民族", max_length=20, blank=True)
    id_number = models.CharField("身份证号", max_length=18, null=True, blank=True, unique=True)
    id_number_digest = models.CharField(max_length=32, blank=True, editable=False)
    birth_date = PartialDateField("出生年月")
    work_started = PartialDateField("参加工作时间")
    political_status = models.CharField(
        "政治面貌", max_length=12, choices=PoliticalStatus, default=PoliticalStatus.UNKNOWN
    )
    party_joined = PartialDateField("入党时间")
    retired_on = PartialDateField("离退休时间")
    retirement_kind = models.CharField(
        "离退休类别", max_length=10, choices=RetirementKind, default=RetirementKind.ORDINARY
    )
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, verbose_name="原工作单位")
    former_post = models.CharField("原职务", max_length=80, blank=True)
    rank = models.CharField("职级", max_length=40, blank=True)
    treatment = models.CharField("享受待遇", max_length=40, blank=True)
    phone = models.CharField("联系电话", max_length=20, blank=True)
    phone_digest = models.CharField(max_length=32, blank=True, editable=False)
    second_phone = models.CharField("第二电话", max_length=20, blank=True)
    second_phone_digest = models.CharField(max_length=32, blank=True, editable=False)
    emergency_contact = models.CharField("紧急联系人", max_length=60, blank=True)
    emergency_phone = models.CharField("紧急联系电话", max_length=20, blank=True)
    emergency_phone_digest = models.CharField(max_length=32, blank=True, editable=False)
    township = models.ForeignKey(
        Township, models.PROTECT, null=True, blank=True, verbose_name="居住乡镇(街道)"
    )
    community = models.ForeignKey(
        Community, models.PROTECT, null=True, blank=True, verbose_name="村(社区)"
    )
    address = models.CharField("详细地址", max_length=200, blank=True)
    address_digest = models.CharField(max_length=32, blank=True, editable=False)
    lives_in_county = models.BooleanField("长期在奉居住", default=True)
    activity_class = models.CharField(
        "活动类别", max_length=1, choices=ActivityClass, blank=True, editable=False
    )
    health = models.CharField("健康状况", max_length=60, blank=True)
    skills = models.CharField("特长", max_length=100, blank=True)
    remark = models.TextField("备注", blank=True)
    status = models.CharField("状态", max_length=10, choices=Status, default=Status.ACTIVE)
    registered_on = models.DateField("入册日期", default=timezone.localdate, editable=False)
    moved_away_on = models.DateField("转出日期", null=True, blank=True)
    died_on = models.DateField("去世日期", null=True, blank=True)
    created_at = models.DateTimeField("建档时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = RetireeQuerySet.as_manager()

    class Meta:
        verbose_name = "老同志"
        verbose_name_plural = "老同志"
        ordering = ["name_pinyin", "id"]
        indexes = [
            models.Index(fields=["name_pinyin", "id"], name="retiree_by_pinyin"),
            models.Index(fields=["birth_date"], name="retiree_by_birth"),
            models.Index(fields=["rank"], name="retiree_by_rank"),
            # The list's boxes of few values: their counts come out of this small index alone.
            models.Index(
                fields=["status", "activity_class", "political_status", "sex"],
                name="retiree_by_boxes",
            ),
            models.Index(fields=["name", "unit"], name="retiree_by_name_unit"),
            GinIndex(fields=["search_key"], name="retiree_search"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="retiree_has_name",
                violation_error_message="请填写姓名。",
            ),
            models.CheckConstraint(
                condition=Q(id_number=None) | Q(id_number__regex=r"^[1-9]\d{16}[\dX]$"),
                name="retiree_id_number_form",
                violation_error_message="身份证号应为 18 位。",
            ),
            listed("sex", Sex, "retiree_sex_listed", optional=True),
            listed("activity_class", ActivityClass, "retiree_class_listed", optional=True),
            listed("political_status", PoliticalStatus, "retiree_political_status_listed"),
            listed("retirement_kind", RetirementKind, "retiree_retirement_kind_listed"),
            listed("status", Status, "retiree_status_listed"),
            *[_partial(f) for f in ("birth_date", "work_started", "party_joined", "retired_on")],
            _not_before(
                "work_started", "birth_date", "retiree_works_after_birth", "参加工作时间早于出生。"
            ),
            _not_before(
                "party_joined", "birth_date", "retiree_joins_after_birth", "入党时间早于出生。"
            ),
            _not_before(
                "retired_on",
                "work_started",
                "retiree_retires_after_work",
                "离退休时间早于参加工作时间。",
            ),
            _not_before(
                "retired_on", "birth_date", "retiree_retires_after_birth", "离退休时间早于出生。"
            ),
            models.CheckConstraint(
                condition=Q(community=None) | Q(township__isnull=False),
                name="retiree_community_in_township",
                violation_error_message="填了村(社区)，请同时填乡镇(街道)。",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DECEASED, died_on__isnull=False)
                | (~Q(status=Status.DECEASED) & Q(died_on=None)),
                name="retiree_died_on_with_status",
                violation_error_message="去世日期与状态不一致。",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.MOVED_AWAY) | Q(moved_away_on__isnull=False),
                name="retiree_moved_on_with_status",
                violation_error_message="请填写转出日期。",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.ACTIVE) | Q(moved_away_on=None),
                name="retiree_active_not_moved",
                violation_error_message="在册人员没有转出日期。",
            ),
            *[
                models.CheckConstraint(
                    condition=Q(**{f"{column}_digest": "", column: None})
                    | Q(**{f"{column}_digest": "", column: ""})
                    | (~Q(**{f"{column}_digest": ""}) & ~Q(**{column: ""})),
                    name=f"retiree_{column}_digest",
                )
                for column in DIGESTED
            ],
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        """Keeps the search key and the digests beside the values they are made of."""
        self.id_number = self.id_number or None
        self.name_pinyin = pinyin_of(self.name)
        for column, beside in DIGESTED.items():
            setattr(self, beside, digest(getattr(self, column)))
        tokens = search_tokens(self.name, self.id_number, self.phone, self.second_phone)
        self.search_key = Func(
            Value(tokens, output_field=_TextArray()), function="array_to_tsvector"
        )
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("cadres:person", args=[self.pk])

    def clean(self):
        """What the database also holds (retiree_birth_as_id_number), said in words."""
        number = self.id_number or ""
        born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
        if number and self.birth_date not in ("", born):
            raise ValidationError({"birth_date": "出生日期与身份证号不一致，请核对。"})

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def is_party_member(self) -> bool:
        return self.political_status in PARTY_MEMBERS

    def age_on(self, day: datetime.date) -> int | None:
        """Full years of life on a day, None when the birth date is not known."""
        return age_on(self.birth_date, day)


class _TextArray(models.Field):
    def db_type(self, connection):
        return "text[]"
