"""The till of a day: find somebody, see what they have, hand out, print the slip; by keyboard."""

from itertools import zip_longest

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from branches.access import with_branch
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.models import Retiree
from points import days, redemption
from points.forms.redemption import TillForm
from points.models import (
    HELD,
    UNDO,
    Account,
    Redemption,
    RedemptionDay,
    RedemptionState,
)
from points.views.gates import frame, till_day, visible_redemptions, works_at

FOUND = 20
#: So many are sorted by likeness before the first are shown.
LOOKED_AT = 300
#: The key beside each article: pressed, it takes one more. Who brings more than these types it.
KEYS = "123456789abcdefghijklmnorstuvwxyz"


@require_http_methods(["GET", "POST"])
def till(request, pk: int):
    """The search; the person who was found; what they take."""
    day = till_day(request.user, pk)
    works_here = works_at(request.user, day)
    if not (works_here or day.operators.filter(pk=request.user.pk).exists()):
        raise PermissionDenied
    if not (works_here and day.has_come):
        return _page(request, day, closed=True)
    if key := request.POST.get("person") or request.GET.get("person"):
        found = Retiree.objects.filter(pk=key_in(key)).first()
        return _person(request, day, found) if found else _nobody(request, day)
    words = " ".join(request.GET.get("q", "").split())
    found = _found(day, words) if words else []
    if len(found) == 1:
        return _person(request, day, found[0], words)
    return _page(request, day, q=words, found=found[:FOUND], are_more=len(found) > FOUND)


def _nobody(request, day: RedemptionDay):
    messages.error(request, "没有找到这位同志，请再找一次。")
    return redirect("points:till", day.pk)


def _found(day: RedemptionDay, words: str) -> list[Retiree]:
    """Who has reserved stands first, then whose whole name or initials were typed."""
    reserved = Redemption.objects.filter(
        day=day, retiree=OuterRef("pk"), state=RedemptionState.RESERVED
    )
    people = with_branch(Retiree.objects.active().search(words)).select_related("unit")
    people = people.annotate(with_reservation=Exists(reserved))
    found = people.order_by("-with_reservation", "name_pinyin", "id")[:LOOKED_AT]
    return sorted(found, key=lambda person: (not person.with_reservation, not _is(person, words)))


def _is(person: Retiree, words: str) -> bool:
    syllables = person.name_pinyin.split()
    whole = {person.name, "".join(syllables), "".join(one[0] for one in syllables)}
    return words.replace(" ", "").lower() in whole


def _page(request, day: RedemptionDay, **more):
    context = {"day": day, "last": _last(request.user, day), **more, **frame(request.user)}
    return render(request, "points/redemption/till.html", context)


def _last(user, day: RedemptionDay) -> Redemption | None:
    """What this user has just handed out, while it can be taken back."""
    since = timezone.now() - UNDO
    mine = day.redemptions.filter(ended_by=user, ended_at__gt=since)
    mine = mine.filter(state=RedemptionState.COLLECTED)
    return mine.with_lines().order_by("-ended_at").first()


# ---- one person ----------------------------------------------------------------------------------


def _person(request, day: RedemptionDay, person: Retiree, words: str = ""):
    stocks = list(day.stocks.select_related("reward", "day").filter(brought__gt=0))
    key = days.form_key(user=request.user, retiree=person, day=day)
    is_sent = request.method == "POST"
    form = TillForm(request.POST if is_sent else None, stocks=stocks, initial={"key": key})
    if is_sent and form.is_valid():
        try:
            made = _handed_out(request, day, person, form)
            return _to_slip(made)
        except redemption.DoneBeforeError as done:  # in a second tab: it must not look like more
            messages.error(request, f"{done}要加换请再找一次。")
            return _to_slip(done.found)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    if stocks:  # where nothing is reserved, and no script says otherwise
        form.fields[f"s{stocks[0].pk}"].widget.attrs["autofocus"] = True
    theirs = day.redemptions.filter(retiree=person).with_lines().order_by("id")
    has = redemption.held(day, person)
    account = Account.objects.filter(retiree=person, cycle=day.cycle).first()
    rows = [
        {"key": letter, "stock": stock, "box": form[f"s{stock.pk}"], "has": has.get(stock.pk, 0)}
        for letter, stock in zip_longest(KEYS[: len(stocks)], stocks)
    ]
    return _page(
        request,
        day,
        q=words,
        person=person,
        balance=account.balance if account else 0,
        account=account,
        form=form,
        rows=rows,
        reserved=[r for r in theirs if r.state == RedemptionState.RESERVED],
        collected=[r for r in theirs if r.state == RedemptionState.COLLECTED],
    )


def _to_slip(made: Redemption):
    return redirect(f"{reverse('points:slip', args=[made.pk])}?till=1")


def _handed_out(request, day: RedemptionDay, person: Retiree, form: TillForm) -> Redemption:
    """What was reserved, when its button was pressed or it is all there is; else the boxes."""
    to_whom, basket = form.to_whom(), form.basket()
    theirs = day.redemptions.filter(retiree=person)
    if asked := request.POST.get("redemption"):
        if basket:
            raise RefusedError("请先领预约的，再另外兑换；或者把下面填的份数清掉。")
        found = theirs.filter(pk=key_in(asked)).first()
        if found is None:
            raise RefusedError("没有这张预约单，请再找一次。")
        return redemption.collect(redemption=found, by=request.user, **to_whom)
    reserved = theirs.filter(state=RedemptionState.RESERVED)
    if not basket and len(reserved) == 1:
        return redemption.collect(redemption=reserved[0], by=request.user, **to_whom)
    return redemption.serve(
        key=form.cleaned_data["key"], day=day, retiree=person, basket=basket, by=request.user,
        **to_whom,
    )  # fmt: skip


# ---- the slip ------------------------------------------------------------------------------------


@require_GET
def slip(request, pk: int):
    """兑换单 to print and sign; at the till Enter goes on to the next person."""
    found = get_object_or_404(visible_redemptions(request.user), pk=pk)
    context = {
        "found": found,
        "is_void": found.state not in HELD,
        "balance": days.balance_after(found),
        "at_till": "till" in request.GET and works_at(request.user, found.day),
        **frame(request.user),
    }
    return render(request, "points/redemption/slip.html", context)
