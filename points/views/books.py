"""The bankbook of a person, the ledger, the accounts, the ranking, the figures, the proof."""

import datetime
from collections import defaultdict

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from branches.access import sees_all, visible_retirees, with_branch
from branches.models import Branch
from cadres.models import Retiree
from cadres.roles import Role, has_role, is_office
from points import statement
from points.days import coming_for
from points.forms import (
    NONE,
    AccountFilter,
    LedgerFilter,
    RankingFilter,
    accounts_of,
    ledger_of,
    ranking_of,
)
from points.models import Account, AuditRun, Cycle, Rule, Shortfall
from points.snapshots import NO_BRANCH
from points.totals import FLOWS, Totals, issued_by_rule, totals_by
from points.views.gates import acts_for

ROWS_A_PAGE = 50
RUNS = 30


def sees_points(user) -> None:
    """The office and leaders; everybody else reads that the page is not for them."""
    if not sees_all(user):
        raise PermissionDenied


# ---- a person's bankbook -------------------------------------------------------------------------


@require_GET
def mine(request):
    """One's own bankbook; the office and leaders come to the ledger."""
    if request.user.retiree_id:
        return person(request, request.user.retiree_id)
    sees_points(request.user)
    return redirect("points:ledger")


@require_GET
def person(request, pk: int):
    """Somebody's bankbook, for those who may see the person."""
    return _bankbook(request, get_object_or_404(visible_retirees(request.user), pk=pk))


def _bankbook(request, retiree: Retiree):
    accounts = list(Account.objects.for_retiree(retiree))
    asked = request.GET.get("year", "")
    account = next((a for a in accounts if str(a.cycle.year) == asked), None)
    account = account or (accounts[0] if accounts else None)
    office, today = is_office(request.user), timezone.localdate()
    context = {
        "person": retiree,
        "accounts": accounts,
        "account": account,
        "waiting": statement.waiting(retiree),
        "is_own": request.user.retiree_id == retiree.pk,
        "is_office": office,
        "sees_all": sees_all(request.user),
        "frame": "desk.html" if sees_all(request.user) else "base.html",
        "may_reserve": acts_for(request.user, retiree),
        **coming_for(retiree),
    }
    if account:
        lines = statement.statement(account)
        context |= {
            "lines": lines[::-1],
            "summary": statement.summary(account, lines),
            "purses": [
                (one, statement.policy(one.cycle, today))
                for one in accounts[::-1]
                if one == account or _is_redeemable(one, today)
            ],
        }
    if office:
        context["shortfalls"] = _owed(retiree)
    return render(request, "points/statement.html", context)


def _is_redeemable(account: Account, today: datetime.date) -> bool:
    return account.balance > 0 and not account.frozen_at and account.cycle.is_movable(today)


def _owed(retiree: Retiree):
    return Shortfall.objects.filter(retiree=retiree, left__gt=0).select_related(
        "posting__rule", "asked_by"
    )


# ---- lists ---------------------------------------------------------------------------------------


def _filled(request) -> dict:
    return {key: value for key, value in request.GET.items() if value and key != "page"}


def _listed(request, form, rows, **more):
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {"form": form, "page": page, "query": query.urlencode()}
    return context | {"q": request.GET.get("q", ""), "is_office": is_office(request.user)} | more


@require_GET
def ledger(request):
    """积分流水: every transfer, the newest first."""
    sees_points(request.user)
    filled = _filled(request)
    form = LedgerFilter(filled)
    found = ledger_of(filled, request.user)
    flow = form.chosen().get("flow")
    total = found.aggregate(sum=Sum("counted" if flow else "points"))["sum"] or 0
    rows = found.select_related("rule", "posting__rule", "reverses__rule", "posted_by", "cycle")
    rows = with_branch(rows.select_related("approved_by"), person="member").order_by("-id")
    context = _listed(request, form, rows, total=total, flow=FLOWS.get(flow, ""))
    context["rows"] = _named_rows(context["page"])
    return render(request, "points/ledger.html", context)


def _named_rows(page) -> list[dict]:
    """Of each transfer on the page: the person, in plain words what for, and who confirmed it."""
    names = Retiree.objects.in_bulk({transfer.member for transfer in page})
    return [
        {
            "transfer": transfer,
            "person": names[transfer.member],
            "words": statement.words_of(transfer, is_out=transfer.points < 0),
            "detail": statement.detail_of(transfer),
            "who": statement.who(transfer.posted_by, transfer.approved_by),
        }
        for transfer in page
    ]


@require_GET
def accounts(request):
    """Balances by person and year."""
    sees_points(request.user)
    filled = _filled(request)
    found = accounts_of(filled, request.user)
    total = found.aggregate(sum=Sum("balance"))["sum"] or 0
    rows = with_branch(found.select_related("retiree", "cycle"), person="retiree")
    rows = rows.order_by("-balance", "retiree__name_pinyin", "id")
    context = _listed(request, AccountFilter(filled), rows, total=total)
    return render(request, "points/accounts.html", context)


@require_GET
def ranking(request):
    """积分排行榜: who has earned most in a year."""
    sees_points(request.user)
    filled = _filled(request)
    rows = ranking_of(filled, request.user).select_related("retiree__township__area", "cycle")
    rows = with_branch(rows, person="retiree")
    return render(request, "points/ranking.html", _listed(request, RankingFilter(filled), rows))


# ---- figures -------------------------------------------------------------------------------------


@require_GET
def figures(request):
    """Issued, redeemed, expired, outstanding: by year, and one year by branch and rule."""
    sees_points(request.user)
    cycles = {cycle.pk: cycle for cycle in Cycle.objects.all()}
    asked = request.GET.get("year", "")
    cycle = next((c for c in cycles.values() if str(c.year) == asked), None)
    cycle = cycle or Cycle.objects.latest_on(timezone.localdate())
    every = totals_by("cycle", ledger_of({}, request.user), Account.objects.of_members())
    context = {
        "cycle": cycle,
        "flows": FLOWS.items(),
        "years": [_row(c, every.get(pk, Totals()), c.year) for pk, c in cycles.items()],
        "is_office": is_office(request.user),
    }
    if cycle:
        context |= {"branches": _by_branch(request.user, cycle), "rules": _by_rule(request, cycle)}
    return render(request, "points/figures.html", context)


def _row(name, totals: Totals, key) -> dict:
    cells = [(flow, totals.flows[flow]) for flow in FLOWS]
    return {"name": name, "key": key, "cells": cells, "totals": totals}


def _by_branch(user, cycle: Cycle) -> list[dict]:
    """The cycle's people gathered by the branch that serves them today; one walk through each."""
    transfers = ledger_of({"year": str(cycle.year)}, user)
    theirs = Account.objects.of_members().filter(cycle=cycle)
    people = totals_by("member", transfers, theirs)
    home = dict(with_branch(theirs, person="retiree").values_list("retiree", "with_branch"))
    found = defaultdict(Totals)
    for pk, totals in people.items():
        found[home.get(pk)].add(totals)
    names = dict(Branch.objects.values_list("pk", "name"))
    rows = [_row(names[pk], totals, pk) for pk, totals in found.items() if pk]
    rows.sort(key=lambda row: (-row["totals"].flows["issued"], row["key"]))
    if None in found:
        rows.append(_row(NO_BRANCH, found[None], NONE))
    return rows


def _by_rule(request, cycle: Cycle) -> list[dict]:
    found = issued_by_rule(ledger_of({"year": str(cycle.year)}, request.user))
    newest = Rule.objects.order_by("code", "-valid_from").distinct("code")
    names = dict(newest.values_list("code", "name"))
    rows = [
        {
            "name": names[code] if code else "不按规则（手工调整、补扣等）",
            "key": code or NONE,
            "points": points,
        }
        for code, points in found.items()
    ]
    return sorted(rows, key=lambda row: (row["key"] == NONE, -row["points"], row["name"]))


# ---- the proof -----------------------------------------------------------------------------------


@require_GET
def audit(request):
    """账目核对: the last runs; clean, or what is wrong."""
    if not (sees_all(request.user) or has_role(request.user, Role.AUDITOR)):
        raise PermissionDenied
    runs = AuditRun.objects.all()[:RUNS]
    context = {"runs": runs, "sees_all": sees_all(request.user)}
    return render(request, "points/audit.html", context | {"is_office": is_office(request.user)})
