"""Reserving: by the person, by the secretary of their branch, or by the office for them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods

from branches.access import cared_for, visible_retirees, with_branch
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.models import Retiree
from cadres.roles import is_office
from points import days, redemption
from points.forms.redemption import BasketForm
from points.models import (
    Account,
    DayStock,
    Redemption,
    RedemptionDay,
    RedemptionState,
)
from points.views.gates import acts_for, frame, reserves, visible_redemptions, works_at

FOUND = 20
EARLIER = 10
_GONE = "这一场现在不能预约。"


@require_GET
def find(request):
    """Whose reservation it is to be; somebody who acts for nobody else comes to the own page."""
    user = request.user
    if not reserves(user):
        raise PermissionDenied
    people = cared_for(user).active()
    if user.retiree_id and not people.exclude(pk=user.retiree_id).exists():
        return redirect("points:reserve", user.retiree_id)
    words = " ".join(request.GET.get("q", "").split())
    found = []
    if words:
        found = with_branch(people.search(words, by_number=is_office(user))).select_related("unit")
        found = list(found.order_by("name_pinyin", "id")[: FOUND + 1])
    theirs = Redemption.objects.filter(
        state=RedemptionState.RESERVED, retiree__in=people.order_by().values("pk")
    )
    context = {
        "q": words,
        "found": found[:FOUND],
        "are_more": len(found) > FOUND,
        "theirs": theirs.with_lines().order_by("day__date", "retiree__name_pinyin", "id")[:200],
        **frame(user),
    }
    return render(request, "points/redemption/find.html", context)


@require_http_methods(["GET", "POST"])
def reserve(request, pk: int):
    """A person's days and reservations; with a day in it, the basket, and its one confirmation."""
    person = get_object_or_404(visible_retirees(request.user), pk=pk)
    if not acts_for(request.user, person):
        raise PermissionDenied
    asked = request.POST.get("day") or request.GET.get("day")
    if asked:
        day = RedemptionDay.objects.coming(timezone.now()).filter(pk=key_in(asked)).first()
        if day and person.status == "active":
            return _basket(request, person, day)
        if person.status == "active":  # else the page says why in any case
            messages.error(request, _GONE)
    if request.method == "POST":
        return redirect("points:reserve", person.pk)
    return _overview(request, person)


def _about(request, person: Retiree) -> dict:
    is_own = request.user.retiree_id == person.pk
    return {"person": person, "is_own": is_own, **frame(request.user)}


def _overview(request, person: Retiree):
    found = days.coming_for(person)
    balances = dict(Account.objects.filter(retiree=person).values_list("cycle_id", "balance"))
    rows = [(day, balances.get(day.cycle_id, 0), day.stocks.all())
            for day in found["coming_days"]]  # fmt: skip
    ended = Redemption.objects.filter(retiree=person).exclude(state=RedemptionState.RESERVED)
    context = {
        "days": rows,
        "reserved": [(r, r.day.last_day_to_cancel) for r in found["reserved"]],
        "departed": "" if person.status == "active" else redemption.DEPARTED,
        "earlier": ended.with_lines()[:EARLIER],
        **_about(request, person),
    }
    return render(request, "points/redemption/reserve.html", context)


# ---- the basket ----------------------------------------------------------------------------------


def _basket(request, person: Retiree, day: RedemptionDay):
    """Choosing, then once more what it comes to (`look`), then it is done (POST).

    Looking is a GET, so that nobody who goes back on a phone meets the browser's own question.
    """
    stocks = list(day.stocks.select_related("reward", "day").filter(brought__gt=0))
    key = days.form_key(user=request.user, retiree=person, day=day)
    is_sure, looks = request.method == "POST", "look" in request.GET
    asked = request.POST if is_sure else request.GET
    form = BasketForm(asked if is_sure or looks else None, stocks=stocks, initial={"key": key})
    if "change" in request.GET and not is_sure:
        form.initial |= {f"s{stock.pk}": asked.get(f"s{stock.pk}", "") for stock in stocks}
    if form.is_bound and form.is_valid():
        try:
            return (_reserved if is_sure else _confirm)(request, person, day, form)
        except redemption.DoneBeforeError as done:
            messages.error(request, f"{done}要约请再选一次。")
            return redirect("points:reserve", person.pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    return _choose(request, person, day, form)


def _reserved(request, person: Retiree, day: RedemptionDay, form: BasketForm):
    made = redemption.reserve(
        key=form.cleaned_data["key"], day=day, retiree=person, basket=form.basket(), by=request.user
    )
    return _was_done(request, made)


def _was_done(request, made: Redemption):
    lines = made.lines.select_related("stock__reward")
    words = "、".join(f"{line.stock.reward} {line.quantity} 份" for line in lines)
    messages.success(request, f"约好了：{words}，用 {made.points} 分。")
    return redirect("points:reserve", made.retiree_id)


def _confirm(request, person: Retiree, day: RedemptionDay, form: BasketForm):
    """Raises RefusedError when it could not be had anyway; gone back to, it says it is done."""
    key, basket = form.cleaned_data["key"], form.basket()
    if done := redemption.check(key=key, day=day, retiree=person, basket=basket):
        return _was_done(request, done)
    chosen = [(stock, basket[stock.pk]) for stock in form.stocks if stock.pk in basket]
    chosen = [(stock, quantity, stock.points * quantity) for stock, quantity in chosen]
    total = sum(points for _, _, points in chosen)
    context = {
        "day": day,
        "form": form,
        "chosen": chosen,
        "total": total,
        "left": days.balance_of(person, day.cycle) - total,
        "change": urlencode(
            {"day": day.pk, "change": 1, **{f"s{pk}": n for pk, n in basket.items()}}
        ),
        **_about(request, person),
    }
    return render(request, "points/redemption/confirm.html", context)


def _choose(request, person: Retiree, day: RedemptionDay, form: BasketForm):
    balance = days.balance_of(person, day.cycle)
    has = redemption.held(day, person)
    context = {
        "day": day,
        "form": form,
        "balance": balance,
        "rows": [_row(form, stock, balance, has.get(stock.pk, 0)) for stock in form.stocks],
        **_about(request, person),
    }
    return render(request, "points/redemption/basket.html", context)


def _row(form: BasketForm, stock: DayStock, balance: int, has: int) -> dict:
    """An article and how many of it can still be had: one's choice stays chosen."""
    most = min(stock.left, balance // stock.points, (stock.per_person or 9) - has, 9)
    why = ""
    if stock.left <= 0:
        why = "已兑完"
    elif stock.per_person and has >= stock.per_person:
        why = f"每人限 {stock.per_person} 份，您已经有了"
    elif most <= 0:
        why = "积分不够"
    return {
        "stock": stock,
        "name": f"s{stock.pk}",
        "choices": [str(number) for number in range(max(most, 0) + 1)],
        "typed": form.typed(stock) or "0",
        "why": why,
    }


# ---- taking back ---------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def cancel(request, pk: int):
    """Asks once more, then gives points and articles back; again: nothing."""
    found = get_object_or_404(visible_redemptions(request.user), pk=pk)
    is_office = works_at(request.user, found.day)
    if not (is_office or acts_for(request.user, found.retiree)):
        raise PermissionDenied
    at_till = is_office and "till" in request.GET
    if request.method == "POST":
        try:
            redemption.cancel(redemption=found, by=request.user, is_office=is_office)
            messages.success(request, f"已取消，退回 {found.points} 分。")
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        return redirect(_back(found, at_till))
    context = {"found": found, "back": _back(found, at_till), **_about(request, found.retiree)}
    return render(request, "points/redemption/cancel.html", context)


def _back(found: Redemption, at_till: bool) -> str:
    if at_till:
        return reverse("points:till", args=[found.day_id])
    return reverse("points:reserve", args=[found.retiree_id])
