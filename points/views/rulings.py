"""What two persons of the office do together: ask on one page, agree or not on another."""

from functools import partial, wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from branches.access import sees_all, visible_retirees
from cadres.jobs import RefusedError
from cadres.roles import Role, has_role, is_office, office_only
from points import actions, ledger
from points.forms import AdjustForm, DecideForm, DeductForm, RuleForm, SettleForm, WaiveForm
from points.models import (
    Account,
    Adjustment,
    Posting,
    Rule,
    RulingState,
    Settlement,
    Shortfall,
)

SENT = "已提出，等另一个人审批。"


# ---- asking --------------------------------------------------------------------------------------


def _ask(request, form, retiree, title: str, act, words: str):
    """Shows the form; filled well, does the act and goes back to the person's bankbook."""
    if request.method == "POST" and form.is_valid():
        try:
            act(by=request.user, **form.asked())
            messages.success(request, words)
            return redirect("points:person", retiree.pk)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "person": retiree, "title": title, "is_office": True}
    return render(request, "points/ask.html", context)


def _person(request, pk: int):
    return get_object_or_404(visible_retirees(request.user), pk=pk)


@office_only
@require_http_methods(["GET", "POST"])
def adjust(request, pk: int):
    """Asks for points by hand."""
    retiree = _person(request, pk)
    act = partial(actions.ask_adjustment, retiree=retiree, once=True)
    return _ask(request, AdjustForm(request.POST or None), retiree, "手工加减积分", act, SENT)


@office_only
@require_http_methods(["GET", "POST"])
def deduct(request, pk: int):
    """Asks that a rule that costs points be applied."""
    retiree = _person(request, pk)
    act = partial(actions.ask_deduction, retiree=retiree, once=True)
    form = DeductForm(request.POST or None, initial={"on": timezone.localdate()})
    return _ask(request, form, retiree, "按规则扣分", act, SENT)


@office_only
@require_http_methods(["GET", "POST"])
def settle(request, pk: int):
    """Asks what becomes of a frozen account."""
    account = get_object_or_404(
        Account.objects.of_members().select_related("retiree", "cycle"), pk=pk
    )
    act = partial(actions.ask_settlement, account=account, once=True)
    title = f"处理冻结账户（{account.cycle}，{account.balance} 分）"
    return _ask(request, SettleForm(request.POST or None), account.retiree, title, act, SENT)


@office_only
@require_http_methods(["GET", "POST"])
def waive(request, pk: int):
    """Asks that what is still owed be waived."""
    shortfall = get_object_or_404(Shortfall.objects.select_related("retiree"), pk=pk)
    act = partial(ledger.ask_waiver, shortfall=shortfall)
    title = f"免去欠扣的 {shortfall.left} 分"
    return _ask(request, WaiveForm(request.POST or None), shortfall.retiree, title, act, SENT)


# ---- deciding ------------------------------------------------------------------------------------


@office_only
@require_GET
def approvals(request):
    """积分审批: everything that waits for a second person."""
    people = ("retiree__unit", "asked_by")
    context = {
        "adjustments": Adjustment.objects.filter(state=RulingState.WAITING)
        .select_related(*people, "cycle", "rule")
        .order_by("id"),
        "settlements": Settlement.objects.filter(state=RulingState.WAITING)
        .select_related("account__retiree__unit", "account__cycle", "asked_by")
        .order_by("id"),
        "postings": actions.late_postings()
        .select_related("retiree__unit", "rule", "sent_by")
        .order_by("id"),
        "shortfalls": Shortfall.objects.filter(left__gt=0, asked_by__isnull=False)
        .select_related(*people, "posting__rule")
        .order_by("id"),
        "decided": Adjustment.objects.exclude(state=RulingState.WAITING)
        .select_related("retiree", "cycle", "asked_by", "decided_by")
        .order_by("-decided_at")[:20],
        "is_head": has_role(request.user, Role.OFFICE_HEAD),
        "is_office": True,
    }
    return render(request, "points/approvals.html", context)


def _decide(request, act, done: str):
    """One word about one thing; back to the list. `act(agreed=…, words=…, by=…)`."""
    form = DecideForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, errors[0])
        return redirect("points:approvals")
    try:
        act(agreed=form.is_agreed, words=form.cleaned_data["words"], by=request.user)
        messages.success(request, done if form.is_agreed else "已记录：不同意。")
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("points:approvals")


def head_only(view):
    """Decorator: adjustments and settlements are approved, and rules changed, by the head."""

    @wraps(view)
    def checked(request, *args, **kwargs):
        if not has_role(request.user, Role.OFFICE_HEAD):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


@head_only
@require_POST
def decide_adjustment(request, pk: int):
    found = get_object_or_404(Adjustment, pk=pk)
    return _decide(
        request, partial(actions.decide_adjustment, adjustment=found), "已同意，已记账。"
    )


@head_only
@require_POST
def decide_settlement(request, pk: int):
    found = get_object_or_404(Settlement, pk=pk)
    return _decide(
        request, partial(actions.decide_settlement, settlement=found), "已同意，已记账。"
    )


@office_only
@require_POST
def decide_posting(request, pk: int):
    """Sends what came too late, or refuses it."""
    found = get_object_or_404(Posting, pk=pk)

    def act(*, agreed, words, by):
        if agreed:
            ledger.supplement(posting=found, by=by, reason=words)
        else:
            ledger.refuse(posting=found, by=by, reason=words)

    return _decide(request, act, "已同意，已补记。")


@office_only
@require_POST
def decide_shortfall(request, pk: int):
    found = get_object_or_404(Shortfall, pk=pk)

    def act(*, agreed, words, by):
        ledger.waive(shortfall=found, agreed=agreed, by=by)

    return _decide(request, act, "已同意，这一笔不再扣。")


# ---- rules ---------------------------------------------------------------------------------------


@require_GET
def rules(request):
    """积分规则 with all their versions."""
    if not sees_all(request.user):
        raise PermissionDenied
    today = timezone.localdate()
    current = set(Rule.objects.on(today).values_list("pk", flat=True))
    versions = Rule.objects.order_by("code", "-valid_from")
    firsts = {
        rule.code: rule.pk for rule in versions
    }  # the oldest of each code: the office's order
    found = sorted(versions, key=lambda r: (firsts[r.code], -r.valid_from.toordinal()))
    rows = [(rule, rule.pk in current, rule.valid_from > today) for rule in found]
    context = {"rows": rows, "is_head": has_role(request.user, Role.OFFICE_HEAD)}
    return render(request, "points/rules.html", context | {"is_office": is_office(request.user)})


@head_only
@require_http_methods(["GET", "POST"])
def rule_new(request, code: str):
    """A new version of a rule; what was posted keeps the old one."""
    latest = get_object_or_404(Rule.objects.filter(code=code).order_by("-valid_from")[:1])
    form = RuleForm(request.POST or None, rule=latest)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.change_rule(rule=latest, by=request.user, **form.cleaned_data)
            messages.success(request, f"新的一版从 {made.valid_from:%Y-%m-%d} 起用。")
            return redirect("points:rules")
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "rule": latest, "is_office": True}
    return render(request, "points/rule_new.html", context)
