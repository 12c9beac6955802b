"""The office's pages of redemption days: plan, stock, open, call off, end, and the list."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import sees_all, with_branch
from cadres.jobs import RefusedError
from cadres.roles import is_office, office_only
from points import days, redemption
from points.forms.redemption import DayForm, RedemptionFilter, StockForm, redemptions_of
from points.models import (
    DayStatus,
    RedemptionDay,
    RedemptionLine,
    RedemptionState,
    Reward,
)
from points.views.gates import frame, reserves, till_day, visible_days, works_at

ROWS_A_PAGE = 50


@require_GET
def day_list(request):
    """兑换场次: all of them; for a till's operators their own."""
    found = visible_days(request.user)
    if not sees_all(request.user) and not found.exists():
        raise PermissionDenied
    reserved = Count("redemptions", filter=Q(redemptions__state=RedemptionState.RESERVED))
    collected = Count("redemptions", filter=Q(redemptions__state=RedemptionState.COLLECTED))
    found = found.annotate(with_reserved=reserved, with_collected=collected)
    found = found.order_by("-date", "-id")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "points/redemption/days.html", {"page": page, **frame(request.user)})


@require_GET
def day_detail(request, pk: int):
    day = till_day(request.user, pk)
    collected = Sum(
        "lines__quantity", filter=Q(lines__redemption__state=RedemptionState.COLLECTED), default=0
    )
    reserved = Sum(
        "lines__quantity", filter=Q(lines__redemption__state=RedemptionState.RESERVED), default=0
    )
    stocks = day.stocks.select_related("reward")
    states = dict(day.redemptions.order_by().values_list("state").annotate(Count("pk")))
    context = {
        "day": day,
        "operators": [str(user) for user in day.operators.all()],
        "stocks": stocks.annotate(with_collected=collected, with_reserved=reserved).order_by(
            "reward__kind", "points", "id"
        ),
        "states": [(state.label, states.get(state, 0)) for state in RedemptionState],
        "collected": states.get(RedemptionState.COLLECTED, 0),
        "is_changeable": day.status in (DayStatus.PLANNED, DayStatus.OPEN),
        "works_here": works_at(request.user, day),
        **frame(request.user),
    }
    return render(request, "points/redemption/day.html", context)


# ---- planning ------------------------------------------------------------------------------------


@office_only
@require_http_methods(["GET", "POST"])
def day_new(request):
    return _edit(request, RedemptionDay(), "新的兑换场次")


@require_http_methods(["GET", "POST"])
def day_edit(request, pk: int):
    day = _offices(request, pk)
    return _edit(request, day, f"改兑换场次：{day}")


def _offices(request, pk: int) -> RedemptionDay:
    """A day that the office changes; whoever else sees it does not."""
    day = till_day(request.user, pk)
    if not is_office(request.user):
        raise PermissionDenied
    return day


def _edit(request, day: RedemptionDay, title: str):
    initial = {"opens_at": "09:00", "closes_at": "16:30"} if day.pk is None else {}
    form = DayForm(request.POST or None, instance=day, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = _saved(form)
            messages.success(request, "已保存。")
            _tell_who_has_reserved(request, form, made)
            return redirect("points:day" if made.stocks.exists() else "points:day-stock", made.pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        except IntegrityError:  # somebody was faster
            form.add_error(None, "这一天在这个地点刚刚有了一场，请看过再填。")
    context = {"form": form, "title": title, "day": day, **frame(request.user)}
    return render(request, "points/redemption/day_edit.html", context)


@transaction.atomic
def _saved(form: DayForm) -> RedemptionDay:
    """Only what stands in the form: a day that was ended meanwhile does not open again."""
    made = form.save(commit=False)
    if made.pk:
        days.may_change(made)
        made.save(update_fields=["date", "opens_at", "closes_at", "place"])
    else:
        made.save()
    form.save_m2m()
    return made


def _tell_who_has_reserved(request, form: DayForm, day: RedemptionDay) -> None:
    moved = {"date", "opens_at", "closes_at", "place"} & {*form.changed_data}
    count = day.redemptions.filter(state=RedemptionState.RESERVED).count()
    if moved and count:
        words = f"已有 {count} 单预约，系统不会通知他们，请另外告诉本人改了什么。"
        messages.error(request, words)


@require_http_methods(["GET", "POST"])
def day_stock(request, pk: int):
    """What the day brings: a row for every reward that is offered."""
    day = _offices(request, pk)
    known = {stock.reward_id: stock for stock in day.stocks.all()}
    rewards = Reward.objects.filter(Q(is_offered=True) | Q(pk__in=known))
    forms = [
        StockForm(request.POST or None, reward=reward, stock=known.get(reward.pk))
        for reward in rewards
    ]
    fault = ""
    if request.method == "POST" and all([form.is_valid() for form in forms]):
        try:
            days.stock(day=day, wanted=[form.wanted() for form in forms])
            messages.success(request, "已保存。")
            return redirect("points:day", day.pk)
        except RefusedError as refusal:
            fault = str(refusal)
    context = {"day": day, "forms": forms, "fault": fault, **frame(request.user)}
    return render(request, "points/redemption/day_stock.html", context)


@require_POST
def day_open(request, pk: int):
    day = _offices(request, pk)
    try:
        days.open_day(day=day)
        messages.success(request, "已开放预约：老同志登录后就能看到这一场。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:day", day.pk)


def _end(request, day: RedemptionDay, template: str, act, done: str):
    """A page that asks once more, and then the act."""
    if request.method == "POST":
        try:
            messages.success(request, done.format(act(day=day, by=request.user)))
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        return redirect("points:day", day.pk)
    open_ones = day.redemptions.filter(state=RedemptionState.RESERVED)
    collected = day.redemptions.filter(state=RedemptionState.COLLECTED)
    context = {"day": day, "count": open_ones.count(), "collected": collected.count()}
    context |= frame(request.user)
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
def day_finish(request, pk: int):
    done = "这一场已结束。过期未领 {} 单，积分已退回。"
    template = "points/redemption/day_finish.html"
    return _end(request, _offices(request, pk), template, redemption.finish, done)


@require_http_methods(["GET", "POST"])
def day_call_off(request, pk: int):
    done = "这一场已取消。退回了 {} 单的积分。"
    template = "points/redemption/day_call_off.html"
    return _end(request, _offices(request, pk), template, redemption.call_off, done)


# ---- the list, pictures --------------------------------------------------------------------------


@require_GET
def redemption_list(request):
    """兑换清单: who got or reserved what; narrowed as its workbook is."""
    if not sees_all(request.user):
        raise PermissionDenied
    filled = {key: value for key, value in request.GET.items() if value and key != "page"}
    found = redemptions_of(filled, request.user)
    held = found.held()
    lines = RedemptionLine.objects.filter(redemption__in=held.order_by().values("pk"))
    rows = with_branch(found.with_lines(), person="retiree")
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": RedemptionFilter(filled),
        "page": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page")),
        "held": held.count(),
        "points": held.aggregate(sum=Sum("points"))["sum"] or 0,
        "articles": lines.aggregate(sum=Sum("quantity"))["sum"] or 0,
        "query": query.urlencode(),
        "q": filled.get("q", ""),
        **frame(request.user),
    }
    return render(request, "points/redemption/redemptions.html", context)


@require_GET
def picture(request, pk: int):
    """The picture of a reward, for those who may redeem or see redemptions."""
    user = request.user
    if not (sees_all(user) or reserves(user) or visible_days(user).exists()):
        raise PermissionDenied
    reward = get_object_or_404(Reward.objects.exclude(picture=""), pk=pk)
    try:
        file = default_storage.open(reward.picture)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    return response
