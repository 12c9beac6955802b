"""The one page through which somebody leaves the roster: what follows first, then the deed."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_POST

from branches import departures
from branches.access import visible_retirees, with_branch
from branches.forms import DepartureForm, ReturnForm, TakeBackForm
from branches.models import ImportBatch
from branches.roster.judge import missing_people
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.models import Retiree
from cadres.roles import office_only


def _person(request, pk: int) -> Retiree:
    people = with_branch(visible_retirees(request.user)).select_related("unit", "township")
    return get_object_or_404(people, pk=pk)


def _batch(request, person: Retiree) -> ImportBatch | None:
    """The roster from whose list of missing people one comes; nothing for anything else."""
    asked = request.POST.get("batch") or request.GET.get("batch") or ""
    batch = ImportBatch.objects.filter(pk=key_in(asked)).first()
    if batch is None or batch.missing_people.filter(retiree=person).exists():
        return batch
    return batch if missing_people(batch).filter(pk=person.pk).exists() else None


@office_only
@require_http_methods(["GET", "POST"])
def departure(request, pk: int):
    """Asks for kind and day, shows what would end, and writes what was shown."""
    person = _person(request, pk)
    batch = _batch(request, person)
    form = DepartureForm(_filled(request), initial=_initial(request))
    ends = None
    if form.is_bound and form.is_valid():
        kind, on = form.cleaned_data["kind"], form.cleaned_data["on"]
        shown = f"{kind} {on.isoformat()}"
        if request.POST.get("shown") == shown:
            done = _registered(request, person, form, batch)
            if done:
                return done
        ends = departures.what_follows(retiree=person, kind=kind, on=on)
    context = {"person": person, "form": form, "ends": ends, "batch": batch}
    if ends:
        context |= {"shown": shown, "word": departures.WORDS[kind], "on": on}
    return _page(request, **context)


def _page(request, **context):
    ways_back = {
        "return_form": ReturnForm(auto_id="return-%s"),
        "take_back_form": TakeBackForm(auto_id="back-%s"),
    }
    return render(request, "branches/departure.html", ways_back | context)


def _filled(request):
    """A link that names kind and day shows at once what would follow."""
    if request.method == "POST":
        return request.POST
    return request.GET if request.GET.get("kind") and request.GET.get("on") else None


def _initial(request) -> dict:
    return {"kind": request.GET.get("kind"), "on": request.GET.get("on")}


def _registered(request, person: Retiree, form: DepartureForm, batch: ImportBatch | None):
    """The page that follows the deed; nothing, with the reason in the form, when it is refused."""
    word = departures.WORDS[form.cleaned_data["kind"]]
    is_checked = bool(request.POST.get("checked"))
    try:
        ends = departures.depart(
            retiree=person, by=request.user, is_checked=is_checked, batch=batch, **form.cleaned_data
        )
        messages.success(request, f"已登记{person}{word}。{_cancelled(ends)}")
    except departures.AlreadyDepartedError as refusal:
        messages.success(request, str(refusal))
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return None
    return redirect(f"{batch.get_absolute_url()}?show=missing#rows" if batch else person)


def _cancelled(ends: departures.Consequences) -> str:
    if not ends.reservations:
        return ""
    which = "；".join(f"{date_format(one.day.date)}：{one.in_words}" for one in ends.reservations)
    return f"兑换预约已取消，积分退回账户（{which}）。"


@office_only
@require_POST
def come_back(request, pk: int):
    person = _person(request, pk)
    form = ReturnForm(request.POST, auto_id="return-%s")
    if form.is_valid():
        try:
            served = departures.come_back(retiree=person, by=request.user, **form.cleaned_data)
            messages.success(request, f"已登记{person}转回。{_who_serves(served)}")
            return redirect(person)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
    return _page(request, person=person, form=DepartureForm(), return_form=form)


def _who_serves(served) -> str:
    if served is None:
        return "还没有支部联系服务，请在办公桌的“支部关系”里指定。"
    return f"由{served.branch}联系服务；组织关系和登录账号没有恢复，需要时另行办理。"


@office_only
@require_POST
def take_back(request, pk: int):
    person = _person(request, pk)
    form = TakeBackForm(request.POST, auto_id="back-%s")
    if form.is_valid():
        try:
            lost = departures.take_back(retiree=person, by=request.user, **form.cleaned_data)
            messages.success(request, f"已撤销，{person}的登记恢复到原来的样子。")
            if lost:
                messages.error(request, f"没能恢复、请核对后另办：{'、'.join(lost)}。")
            return redirect(person)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
    return _page(request, person=person, form=DepartureForm(), take_back_form=form)
