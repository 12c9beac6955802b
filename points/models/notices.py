"""公示: what everybody may read about the points, and what people say against it."""

from django.db import models
from django.db.models import F, Q

from cadres.history import tracked
from cadres.models import Retiree
from points.models.accounts import Cycle, user_link
from points.models.causes import Posting


class NoticeKind(models.TextChoices):
    """公示的种类"""

    QUARTER = "quarter", "季度公示"
    ROLLOVER = "rollover", "年度结转公示"


class NoticeState(models.TextChoices):
    """公示的状态"""

    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "已公示"
    WITHDRAWN = "withdrawn", "已撤回"


class NoticeQuerySet(models.QuerySet):
    def shown(self):
        """What everybody who is signed in may read."""
        return self.filter(state=NoticeState.PUBLISHED)


@tracked(exclude=("snapshot",))
class PublicNotice(models.Model):
    """公示：一个季度或年度结转的总数和各支部兑换情况，公示五个工作日"""

    kind = models.CharField("种类", max_length=8, choices=NoticeKind)
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="notices", verbose_name="周期")
    quarter = models.PositiveSmallIntegerField("季度", null=True, blank=True)
    with_names = models.BooleanField("列出个人（姓名打星号）", default=False)
    snapshot = models.JSONField("内容", default=dict, editable=False)
    state = models.CharField("状态", max_length=9, choices=NoticeState, default=NoticeState.DRAFT)
    opens_on = models.DateField("公示从", null=True, blank=True)
    closes_on = models.DateField("公示到", null=True, blank=True)
    made_by = user_link("谁做的")
    made_at = models.DateTimeField("时间", auto_now_add=True)
    published_by = user_link("谁发布的")
    withdrawn_by = user_link("谁撤回的")
    reason = models.CharField("撤回的原因", max_length=200, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "公示"
        verbose_name_plural = "公示"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="quarter", quarter__gte=1, quarter__lte=4)
                | Q(kind="rollover", quarter=None),
                name="notice_of_a_quarter_or_the_years_end",
            ),
            models.CheckConstraint(
                condition=Q(state__in=NoticeState.values), name="notice_state_listed"
            ),
            models.UniqueConstraint(
                fields=["cycle", "kind", "quarter"],
                condition=~Q(state="withdrawn"),
                nulls_distinct=False,
                name="notice_once",
                violation_error_message="这一份公示已经有了。",
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(
                    opens_on__isnull=False, closes_on__gt=F("opens_on"), published_by__isnull=False
                ),
                name="notice_published_with_its_days",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | (~Q(reason="") & Q(withdrawn_by__isnull=False)),
                name="notice_withdrawn_with_reason",
            ),
        ]

    def __str__(self):
        return f"公示 {self.pk}"

    @property
    def title(self) -> str:
        year = self.snapshot.get("year", "")
        if self.kind == NoticeKind.ROLLOVER:
            return f"{year}年积分年度结转公示"
        return f"{year}年第{'一二三四'[self.quarter - 1]}季度积分公示"

    @property
    def is_empty(self) -> bool:
        """Nobody's points moved in it."""
        return not self.snapshot.get("totals", {}).get("people")


@tracked()
class Objection(models.Model):
    """异议：对公示有不同意见；办公室逐件答复，理由成立的更正积分"""

    notice = models.ForeignKey(
        PublicNotice, models.PROTECT, related_name="objections", verbose_name="公示"
    )
    raised_by = user_link("谁登记的")
    caller = models.CharField("谁打来的电话", max_length=40, blank=True)
    retiree = models.ForeignKey(
        Retiree, models.PROTECT, null=True, blank=True, related_name="objections",
        verbose_name="提出的老同志",
    )  # fmt: skip
    text = models.CharField("意见", max_length=500)
    raised_at = models.DateTimeField("时间", auto_now_add=True)
    is_justified = models.BooleanField("理由成立", null=True, blank=True)
    answer = models.CharField("答复", max_length=500, blank=True)
    answered_by = user_link("谁答复的")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    posting = models.ForeignKey(
        Posting, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="更正哪一笔"
    )
    confirmed_by = user_link("谁审核更正的")
    confirmed_at = models.DateTimeField("审核时间", null=True, blank=True)

    class Meta:
        verbose_name = "公示异议"
        verbose_name_plural = "公示异议"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="objection_says_something"),
            models.CheckConstraint(
                condition=Q(is_justified=None, answer="", answered_by=None)
                | (~Q(answer="") & Q(is_justified__isnull=False, answered_by__isnull=False)),
                name="objection_answered_as_a_whole",
            ),
            models.CheckConstraint(
                condition=Q(posting=None) | Q(is_justified=True), name="objection_corrects_if_right"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None)
                | (Q(posting__isnull=False) & ~Q(confirmed_by=F("answered_by"))),
                name="objection_second_person",
                violation_error_message="自己提出的更正，要由另一个人审核。",
            ),
        ]

    def __str__(self):
        return f"公示异议 {self.pk}"

    @property
    def is_open(self) -> bool:
        """Not answered, or its correction waits for a second person."""
        return not self.answer or bool(self.posting_id and not self.confirmed_by_id)
