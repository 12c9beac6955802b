"""A roster file on its way in: the batch, and its rows as they were read and judged."""

from django.conf import settings
from django.db import models
from django.urls import reverse

from branches.models.organisation import Branch
from cadres.history import tracked
from cadres.models import Community, Job, Retiree, Township, Unit


class ImportState(models.TextChoices):
    """导入状态"""

    UPLOADED = "uploaded", "已上传"
    STAGED = "staged", "待确认"
    WRITTEN = "written", "已写入"
    REFUSED = "refused", "未能读取"
    DISCARDED = "discarded", "已放弃"
    UNDONE = "undone", "已撤销"


class Purpose(models.TextChoices):
    """这份文件用来做什么"""

    IMPORT = "import", "导入"
    COMPARE = "compare", "信息比对"


class Scope(models.TextChoices):
    """这份名册涵盖的范围"""

    COUNTY = "county", "全县的名册"
    UNITS = "units", "表中各单位的完整名册"
    NONE = "none", "只是部分人员"


class ImportBatchQuerySet(models.QuerySet):
    def imports(self):
        """Rosters to be written."""
        return self.filter(purpose=Purpose.IMPORT)

    def comparisons(self):
        """Lists that are only compared."""
        return self.filter(purpose=Purpose.COMPARE)


@tracked(exclude=("notes", "watermarks", "fingerprint"))
class ImportBatch(models.Model):
    """名册导入批次"""

    file_name = models.CharField("文件名", max_length=200)
    checksum = models.CharField("校验码", max_length=64)
    upload = models.FileField("文件", upload_to="rosters", blank=True)
    purpose = models.CharField("用途", max_length=10, choices=Purpose, default=Purpose.IMPORT)
    scope = models.CharField("范围", max_length=10, choices=Scope, blank=True)
    effective_on = models.DateField("生效日期")
    state = models.CharField(
        "状态", max_length=10, choices=ImportState, default=ImportState.UPLOADED
    )
    refusal = models.CharField("未能读取的原因", max_length=300, blank=True)
    notes = models.JSONField("读取情况", default=dict, blank=True)
    rows = models.PositiveIntegerField("人员行数", default=0)
    created = models.PositiveIntegerField("新增", default=0)
    updated = models.PositiveIntegerField("更新", default=0)
    unchanged = models.PositiveIntegerField("不变", default=0)
    rejected = models.PositiveIntegerField("拒绝", default=0)
    missing = models.PositiveIntegerField("未在表中", default=0)
    fingerprint = models.CharField(max_length=32, blank=True, editable=False)
    watermarks = models.JSONField(default=dict, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="上传人",
    )
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="确认人",
    )
    written_at = models.DateTimeField("写入时间", null=True, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)
    emptied_at = models.DateTimeField("清空时间", null=True, blank=True)
    job = models.ForeignKey(
        Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="后台任务"
    )

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = "名册导入"
        verbose_name_plural = "名册导入"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    rows=models.F("created")
                    + models.F("updated")
                    + models.F("unchanged")
                    + models.F("rejected")
                ),
                name="import_counts_add_up",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=ImportState.values), name="import_state_listed"
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose.values), name="import_purpose_listed"
            ),
            # What was uploaded to be compared is never written.
            models.CheckConstraint(
                condition=models.Q(purpose=Purpose.IMPORT)
                | ~models.Q(state__in=[ImportState.WRITTEN, ImportState.UNDONE]),
                name="import_compare_writes_nothing",
            ),
        ]

    def __str__(self):
        return self.file_name

    def get_absolute_url(self):
        page = "comparison" if self.purpose == Purpose.COMPARE else "import"
        return reverse(f"branches:{page}-detail", args=[self.pk])

    @property
    def is_being_written(self) -> bool:
        """Confirmed, and its job is not done with."""
        return bool(
            self.state == ImportState.STAGED
            and self.confirmed_by_id
            and self.job
            and not self.job.is_finished
        )

    @property
    def is_being_read(self) -> bool:
        """Its names were mapped, and its file is being read again with them."""
        return bool(
            self.state == ImportState.STAGED
            and not self.confirmed_by_id
            and self.job
            and self.job.params.get("again")
            and not self.job.is_finished
        )


class Verdict(models.TextChoices):
    """处理结论"""

    CREATED = "created", "新增"
    UPDATED = "updated", "更新"
    UNCHANGED = "unchanged", "不变"
    REJECTED = "rejected", "拒绝"


def _fact(label: str, **kwargs) -> models.TextField:
    return models.TextField(label, null=True, blank=True, **kwargs)


def _found(model, label: str) -> models.ForeignKey:
    """Staging is filled by COPY: the foreign keys are checked when the rows are written."""
    return models.ForeignKey(
        model,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        verbose_name=label,
        db_index=False,
        db_constraint=False,
    )


class StagedRowQuerySet(models.QuerySet):
    def with_problems(self):
        return self.exclude(problems=[], findings=[])


class StagedRow(models.Model):
    """名册中的一行：读到的内容与处理结论。空值表示表中没有填，不会抹掉原有内容"""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="staged_rows")
    position = models.PositiveIntegerField("次序")
    sheet = models.TextField("工作表")
    row = models.PositiveIntegerField("行号")
    verdict = models.CharField("结论", max_length=10, choices=Verdict, blank=True)
    problems = models.JSONField("读出的问题", default=list)
    findings = models.JSONField("比对出的问题", default=list)
    changes = models.JSONField("变动", default=dict)
    proposal = models.JSONField("建议转接", null=True)
    cells = models.JSONField("原样", default=list)
    retiree = _found(Retiree, "老同志")

    name = _fact("姓名")
    name_pinyin = _fact("姓名拼音")
    search_words = _fact("检索词")
    sex = _fact("性别")
    ethnic_group = _fact("民族")
    id_number = _fact("身份证号")
    id_number_digest = _fact("身份证号摘要")
    birth_date = _fact("出生年月")
    work_started = _fact("参加工作时间")
    political_status = _fact("政治面貌")
    party_joined = _fact("入党时间")
    retired_on = _fact("离退休时间")
    retirement_kind = _fact("离退休类别")
    unit = _found(Unit, "单位")
    former_post = _fact("原职务")
    rank = _fact("职级")
    treatment = _fact("享受待遇")
    phone = _fact("联系电话")
    phone_digest = _fact("联系电话摘要")
    second_phone = _fact("第二电话")
    second_phone_digest = _fact("第二电话摘要")
    township = _found(Township, "乡镇(街道)")
    community = _found(Community, "村(社区)")
    address = _fact("详细地址")
    address_digest = _fact("详细地址摘要")
    branch = _found(Branch, "党支部")
    activity_class = _fact("活动类别")
    health = _fact("健康状况")
    skills = _fact("特长")
    remark = _fact("备注")

    objects = StagedRowQuerySet.as_manager()

    class Meta:
        verbose_name = "名册行"
        verbose_name_plural = "名册行"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="staged_row_position")
        ]

    def __str__(self):
        return f"第 {self.row} 行"

    @property
    def all_problems(self) -> list[dict]:
        """What the reader found in the row, and what the comparison with the county did."""
        return [*self.problems, *self.findings]


class MissingRuling(models.TextChoices):
    """没在表里的人，核实的结果"""

    OMITTED = "omitted", "漏报，仍在册"
    DECEASED = "deceased", "已去世"
    MOVED_AWAY = "moved_away", "已转出"


@tracked()
class MissingPerson(models.Model):
    """没在某份名册里的人，核实成什么"""

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="missing_people")
    retiree = models.ForeignKey(Retiree, models.PROTECT, related_name="+", verbose_name="老同志")
    ruling = models.CharField("核实结果", max_length=10, choices=MissingRuling)
    ruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="核实人"
    )
    ruled_at = models.DateTimeField("核实时间", auto_now_add=True)

    class Meta:
        verbose_name = "没在表里的人"
        verbose_name_plural = "没在表里的人"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "retiree"], name="missing_ruled_once"),
            models.CheckConstraint(
                condition=models.Q(ruling__in=MissingRuling.values), name="missing_ruling_listed"
            ),
        ]

    def __str__(self):
        return f"没在表里的人 {self.pk}"
