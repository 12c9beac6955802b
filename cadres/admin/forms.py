"""The page of one person on the office's desk."""

from django import forms
from django.db import connection
from django.utils import timezone

from branches.models import Branch
from cadres import cleaning
from cadres.cleaning import Clean
from cadres.dates import partial_date
from cadres.desk import DateInput
from cadres.models import ActivityClass, Community, Retiree, Sex, Township

#: Typed into a field “新…”, it takes the number away.
NOTHING = "无"


class PartialDateInput(forms.CharField):
    """A day or a month as it is typed into personnel files: 1953.07, 1953年7月, 19530715."""

    default_error_messages = {
        "invalid": "看不懂或没有这一天，请写成 1953.07 或 1953.07.15 的样子。"
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "max_length": 20, "required": False})

    def prepare_value(self, value):
        return value.replace("-", ".") if isinstance(value, str) else value

    def clean(self, value):
        value = super().clean(value)
        try:
            found = cleaning.read_date(value, may_lack_zero=False) if value else ""
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"]) from None
        if found > timezone.localdate().isoformat()[: len(found)]:
            raise forms.ValidationError("这个日期还没有到，请核对。")
        return found


class SecretInput(forms.CharField):
    """A new number in place of one that is not shown. Clean: None unchanged, "" taken away."""

    def __init__(self, read, **kwargs):
        self.read = read
        kwargs.setdefault("help_text", f"不改请留空；填“{NOTHING}”表示去掉。")
        super().__init__(required=False, max_length=40, **kwargs)
        self.widget.attrs["autocomplete"] = "off"

    def clean(self, value):
        value = super().clean(value)
        if not value:
            return None
        return "" if value == NOTHING else self.read(value)


def shown_only(fieldsets: list) -> list:
    """The fieldsets for somebody who may look but not change."""
    return [(title, {"fields": _without_new(table["fields"])}) for title, table in fieldsets]


def _without_new(rows: list) -> list:
    hidden = {"moved_on", "version"}
    kept = []
    for row in rows:
        names = [row] if isinstance(row, str) else list(row)
        names = [n for n in names if n not in hidden and not n.startswith("new_")]
        kept += [tuple(names)] if names else []
    return kept


def read_id_number(text: str) -> str:
    """An identity number as it is kept. Raises ValidationError with one sentence."""
    row = Clean()
    number = cleaning.clean_id_number(text, row, timezone.localdate())
    if row.problems:
        raise forms.ValidationError(row.problems[0].message)
    return number


def read_phone(text: str) -> str:
    """A phone number as it is kept. Raises ValidationError with one sentence."""
    phone = cleaning.read_phone(text)
    if phone is None:
        raise forms.ValidationError("电话号码位数不对，请填 11 位手机号，或带区号的座机号。")
    return phone


def communities_by_township() -> list:
    """Choices of a community box, under the names of their townships."""
    groups: dict[str, list] = {}
    found = Community.objects.order_by("township__code", "code")
    for pk, name, township in found.values_list("pk", "short_name", "township__name"):
        groups.setdefault(township, []).append((pk, name))
    return [("", "---------"), *groups.items()]


def _version(person: Retiree) -> str:
    """Which state of a person a form was opened with: a later one is not overwritten unseen."""
    return person.updated_at.isoformat() if person.pk else ""


class RetireeForm(forms.ModelForm):
    """One person. Where they live, and the numbers never shown in full, are fields of their own."""

    birth_date = PartialDateInput(
        label="出生年月", help_text="如 1953.07；填了身份证号会自动得出。"
    )
    work_started = PartialDateInput(label="参加工作时间", help_text="如 1973.10")
    party_joined = PartialDateInput(label="入党时间", help_text="如 1980.07")
    retired_on = PartialDateInput(label="离退休时间", help_text="如 2013.07")
    new_id_number = SecretInput(read_id_number, label="新身份证号")
    new_phone = SecretInput(read_phone, label="新联系电话")
    new_second_phone = SecretInput(read_phone, label="新第二电话")
    new_emergency_phone = SecretInput(read_phone, label="新紧急联系电话")
    township = forms.ModelChoiceField(
        Township.objects.all(), label="居住乡镇(街道)", required=False
    )
    community = forms.ModelChoiceField(
        Community.objects.select_related("township"),
        label="村(社区)",
        required=False,
        help_text="只选村(社区)，乡镇(街道)会自动得出。",
    )
    address = forms.CharField(
        label="详细地址",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    moved_on = forms.DateField(
        label="从哪天起住在这里",
        required=False,
        widget=DateInput,
        help_text="只在上面的居住地有变动时填，不填按今天算。",
    )

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Retiree
        exclude = ["id_number", "phone", "second_phone", "emergency_phone"]  # noqa: DJ006
        exclude += ["township", "community", "address"]
        exclude += ["status", "moved_away_on", "died_on"]  # one way: branches/departures.py

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["community"].choices = communities_by_township()
        for name in ("township", "community"):
            self.initial.setdefault(name, getattr(self.instance, f"{name}_id"))
        self.initial.setdefault("address", self.instance.address)
        self.initial["version"] = _version(self.instance)

    def clean_name(self):
        row = Clean()
        name = cleaning.clean_name(self.cleaned_data["name"], row)
        if row.problems:
            raise forms.ValidationError(row.problems[0].message)
        return name

    def clean_new_id_number(self):
        number = self.cleaned_data["new_id_number"]
        others = Retiree.objects.exclude(pk=self.instance.pk)
        holder = number and others.filter(id_number=number).first()
        if holder:
            raise forms.ValidationError(f"这个身份证号已登记在“{holder}”名下，请核对。")
        return number

    def clean_moved_on(self):
        day = self.cleaned_data["moved_on"]
        if day and day > timezone.localdate():
            raise forms.ValidationError("这个日期还没有到，请填今天或更早的日期。")
        return day

    def clean(self):
        super().clean()
        if self.instance.pk and self.cleaned_data["version"] != _version(self.instance):
            raise forms.ValidationError(
                "您打开这一页以后，别人改过这位老同志的登记。请重新打开这一页，再改一次。"
            )
        self._take_new_numbers()
        self._agree_with_id_number()
        self._place_community()
        if self.instance.pk:
            self._refuse_early_move()
        return self.cleaned_data

    def _take_new_numbers(self) -> None:
        for column in ("id_number", "phone", "second_phone", "emergency_phone"):
            value = self.cleaned_data.get(f"new_{column}")
            if value is not None:
                setattr(self.instance, column, value or (None if column == "id_number" else ""))

    def _agree_with_id_number(self) -> None:
        """A new number brings birth and sex with it; what is typed beside it must agree."""
        number, data = self.instance.id_number, self.cleaned_data
        asked = {"new_id_number", "birth_date", "sex"} & set(self.changed_data)
        if not number or not asked:
            return
        born = partial_date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        typed = data.get("birth_date") or ""
        if born.startswith(typed) or "birth_date" not in self.changed_data:
            data["birth_date"] = born
        elif "birth_date" in data:
            self.add_error("birth_date", "出生年月与身份证号不一致，请核对是哪一个写错。")
        sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
        if data.get("sex") not in ("", None, sex):
            self.add_error("sex", "性别与身份证号不一致，请核对。")
        data["sex"] = sex

    def _place_community(self) -> None:
        data = self.cleaned_data
        community, township = data.get("community"), data.get("township")
        if not community:
            return
        if "township" in data and (township is None or "township" not in self.changed_data):
            data["township"] = community.township
        elif township and community.township_id != township.pk:
            words = f"“{community}”属于{community.township}，与所选的{township}不符。"
            self.add_error("community", words)

    @property
    def has_moved(self) -> bool:
        return bool({"township", "community", "address"} & set(self.changed_data))

    def home(self) -> dict:
        """Where the person lives as of `on`: what cadres.actions.move wants."""
        data = self.cleaned_data
        return {
            "township": data["township"],
            "community": data["community"],
            "address": " ".join(data["address"].split()),
            "on": data["moved_on"] or timezone.localdate(),
        }

    def _refuse_early_move(self) -> None:
        day = self.cleaned_data.get("moved_on")
        last = self.instance.residences.first() if day and self.has_moved else None
        if last and day < (last.until or last.since):
            recorded = last.until or last.since
            words = f"不能早于上一次居住地记录的日期（{recorded:%Y-%m-%d}）。"
            self.add_error("moved_on", words)


class RetireeAddForm(RetireeForm):
    """A person who is on no roster yet."""

    first_class = forms.ChoiceField(
        label="活动类别",
        required=False,
        choices=[("", "未分类"), *ActivityClass.choices],
        help_text="登记之后，类别只能通过认定变动。",
    )
    branch = forms.ModelChoiceField(
        Branch.objects.all(),
        label="党支部",
        required=False,
        empty_label="按居住地确定",
        help_text="党员的组织关系编入这个支部；不选的，由居住地的支部联系服务。",
    )

    class Meta(RetireeForm.Meta):
        pass

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("id_number", "phone", "second_phone", "emergency_phone"):
            field = self.fields[f"new_{name}"]
            field.label, field.help_text = field.label.removeprefix("新"), ""

    def clean(self):
        super().clean()
        data = self.cleaned_data
        with connection.cursor() as cursor:  # a double click comes one after the other
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [data.get("name", "")])
        same = Retiree.objects.filter(
            name=data.get("name"), birth_date=data.get("birth_date") or "", unit=data.get("unit")
        )
        if not self.instance.id_number and not self.errors and same.exists():
            raise forms.ValidationError(
                "已有姓名、出生年月、原工作单位都相同的老同志。确是另一位，请填身份证号加以区别。"
            )
        return data
