"""What was written on the paper of a day, a form for each row."""

import uuid

from django import forms

from branches.access import with_branch
from cadres.jobs import RefusedError
from cadres.models import Retiree
from points import redemption
from points.forms.redemption import MOST, collector_fields, digits
from points.models import DayStock, Redemption, RedemptionDay, RedemptionState

#: So many rows for people served without a reservation.
BLANKS = 10


class PaperRow(forms.Form):
    """A row that can be written, or says why not (`fault`).

    `before` is what an earlier sending of the same row has written.
    """

    fault = ""
    before: Redemption | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields |= collector_fields()

    def write(self, by) -> bool:
        """Whether there was something to write and it is written, now or `before`."""
        try:
            if not self.is_valid():
                self.fault = " ".join(words for found in self.errors.values() for words in found)
                return False
            return self._written(by)
        except redemption.DoneBeforeError as done:
            self.fault = f"{done}还要记的，请另填一个空行。"
            return False
        except RefusedError as refusal:
            self.fault = str(refusal)
            return False

    def to_whom(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("collector", "relation")}

    def _written(self, by) -> bool:
        raise NotImplementedError


class ReservedForm(PaperRow):
    """A reservation: collected or not, by whom."""

    state = forms.ChoiceField(
        label="领了没有", required=False, choices=[("", "未领"), ("collected", "已领")]
    )

    def __init__(self, *args, redemption: Redemption, **kwargs):
        super().__init__(*args, prefix=f"r{redemption.pk}", **kwargs)
        self.redemption = redemption
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{redemption.retiree.name}：{field.label}"

    def _written(self, by) -> bool:
        if not self.cleaned_data["state"]:
            if any(self.to_whom().values()):
                raise RefusedError("填了代领人，请把“领了没有”改为“已领”。")
            return False
        now = Redemption.objects.select_related("ended_by", "day").get(pk=self.redemption.pk)
        if now.state == RedemptionState.COLLECTED:
            return self._was_collected(now, by)
        if now.state == RedemptionState.CANCELLED:
            raise RefusedError("这一单已经取消，积分已退。东西如果发了，请在下面的空行里补记。")
        if now.state == RedemptionState.LAPSED:
            self._serve_late(now, by)
        else:
            redemption.collect(redemption=now, by=by, **self.to_whom())
        return True

    def _serve_late(self, lapsed: Redemption, by) -> None:
        """The day was finished before its paper came in: the points went back and are taken
        again."""
        basket = dict(lapsed.lines.order_by().values_list("stock", "quantity"))
        key = late_key(lapsed)
        self.before = Redemption.objects.select_related("day").filter(key=key).first()
        redemption.serve(
            key=key, day=lapsed.day, retiree=lapsed.retiree, basket=basket, by=by, is_late=True,
            **self.to_whom(),
        )  # fmt: skip

    def _was_collected(self, now: Redemption, by) -> bool:
        """Sent twice by the same person it is done; else two papers, or a paper and a till."""
        same = {"collector": now.collector, "relation": now.relation} == self.to_whom()
        if now.ended_by_id == by.pk and same:
            self.before = now
            return True
        who = now.ended_by or "系统"
        raise RefusedError(f"这一单已由{who}登记领走，没有再记。请核对是不是发了两次。")


def late_key(lapsed: Redemption) -> uuid.UUID:
    """Of the redemption that is written when a lapsed reservation was collected after all."""
    return uuid.uuid5(lapsed.key, "paper")


class HandedForm(PaperRow):
    """Somebody who was served on paper without a reservation."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    who = forms.CharField(label="姓名", max_length=60, required=False)
    stock = forms.ModelChoiceField(
        DayStock.objects.none(), label="物品", required=False,
        error_messages={"invalid_choice": "请在列表中选择物品。"},
    )  # fmt: skip
    quantity = forms.IntegerField(
        label="份数", required=False, min_value=1, max_value=MOST, widget=digits(),
        error_messages={
            "invalid": "份数请填整数。", "min_value": "份数要大于零。",
            "max_value": f"份数最多 {MOST}。",
        },
    )  # fmt: skip

    def __init__(self, *args, day: RedemptionDay, stocks: list[DayStock], number: int, **kwargs):
        super().__init__(*args, prefix=f"n{number}", initial={"key": uuid.uuid4()}, **kwargs)
        self.day, self.stocks, self.number = day, stocks, number
        self.fields["stock"].queryset = day.stocks.select_related("reward", "day")
        self.fields["stock"].choices = [
            ("", "请选"),
            *((stock.pk, f"{stock.reward}（{stock.points} 分）") for stock in stocks),
        ]
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"空行 {number + 1}：{field.label}"

    def _written(self, by) -> bool:
        filled = self.cleaned_data
        if not any(filled[name] for name in ("who", "stock", "quantity", "collector", "relation")):
            return False
        if not (filled["who"] and filled["stock"] and filled["quantity"] and filled["key"]):
            raise RefusedError("姓名、物品、份数都要填。")
        known = Redemption.objects.select_related("day")
        self.before = known.filter(key=filled["key"]).first()
        redemption.serve(
            key=filled["key"], day=self.day, retiree=self._person(filled["who"]),
            basket={filled["stock"].pk: filled["quantity"]}, by=by, is_late=True, **self.to_whom(),
        )  # fmt: skip
        return True

    def _person(self, words: str) -> Retiree:
        people = with_branch(Retiree.objects.active().search(words)).select_related("unit")
        found = list(people.order_by("name_pinyin", "id")[:21])
        if len(found) > 1:
            found = [person for person in found if person.name == words] or found
        if not found:
            raise RefusedError(f"没有找到“{words}”。")
        if len(found) > 1:
            names = "；".join(
                f"{person.name}（{person.with_branch_name or person.unit or '单位未登记'}）"
                for person in found[:5]
            )
            raise RefusedError(f"有几位：{names}。请在姓名后空一格加身份证号后四位。")
        return found[0]
