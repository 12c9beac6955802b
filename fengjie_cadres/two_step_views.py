"""The second step of the office's log-in: asked for after the password, switched on and off."""

import time

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters

from cadres import throttle, two_step
from cadres.jobs import RefusedError
from cadres.login import PasswordAgainForm
from cadres.models import User
from cadres.roles import office_only
from fengjie_cadres.forms import CodeForm
from fengjie_cadres.login_views import let_in, locked

_HALF = "half_way"
#: Seconds in which the digits have to follow the password.
_OPEN_FOR = 5 * 60


class OffForm(PasswordAgainForm, CodeForm):
    """Both what one knows and what one has."""


def after_password(request, user: User, url: str):
    """Lets in who needs one step; who needs two is not signed in yet."""
    if two_step.device_of(user) is None:
        return let_in(request, user, url)
    request.session[_HALF] = {
        "user": user.pk,
        "proof": user.get_session_auth_hash(),
        "at": time.time(),
        "url": url,
    }
    return redirect("two-step-check")


def _half_way(session) -> User | None:
    """Who has given the right password, a moment ago, and still may log in by it."""
    half = session.get(_HALF)
    if not half or time.time() - half["at"] > _OPEN_FOR:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    return user if user and user.get_session_auth_hash() == half["proof"] else None


def _wrong_code(request, user: User, code: str) -> str:
    """Why these digits are not right, as a sentence; empty when they are. Wrong ones count."""
    if throttle.is_closed(user.username, user.phone):
        return "错了太多次，请过十五分钟再试。"
    if two_step.must_wait(user):
        return "试得太快了，请等一会儿再填。"
    if two_step.is_right(user=user, code=code):
        return ""
    throttle.record(request, user.username)
    return "六位数字不对，请等它换成新的再填。"


@login_not_required
@sensitive_post_parameters()
def two_step_check(request):
    """The digits. Wrong ones count like wrong passwords, under the account's user name."""
    user = _half_way(request.session)
    if user is None or request.user.is_authenticated:
        return redirect("login")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        wrong = _wrong_code(request, user, form.cleaned_data["code"])
        if not wrong:
            return let_in(request, user, request.session.pop(_HALF)["url"])
        if throttle.is_closed(user.username, user.phone):
            return locked(request)
        form.add_error("code", wrong)
    return render(request, "two_step_check.html", {"form": form})


@office_only
@sensitive_post_parameters()
def two_step_page(request):
    """Begin, prove, or switch off: which of them, says the button."""
    acts = {"begin": _begin, "switch-on": _switch_on, "switch-off": _switch_off}
    act = acts.get(request.POST.get("act", ""))
    if request.method != "POST" or act is None:
        return _shown(request)
    try:
        return act(request)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("two-step")


def _begin(request):
    form = PasswordAgainForm(request.POST, request=request)
    if not form.is_valid():
        return _shown(request, form)
    two_step.begin(by=request.user)
    return redirect("two-step")


def _switch_on(request):
    form = CodeForm(request.POST)
    if form.is_valid():
        if two_step.switch_on(code=form.cleaned_data["code"], by=request.user):
            messages.success(request, "两步验证已打开，下次登录除了密码还要填六位数字。")
            return redirect("two-step")
        form.add_error("code", "六位数字不对，请等它换成新的再填。")
    return _shown(request, form)


def _switch_off(request):
    form = OffForm(request.POST, request=request)
    if form.is_valid():
        wrong = _wrong_code(request, request.user, form.cleaned_data["code"])
        if not wrong:
            two_step.switch_off(user=request.user, by=request.user)
            messages.success(request, "两步验证已关闭，以后登录只用密码。")
            return redirect("two-step")
        form.add_error("code", wrong)
    return _shown(request, form)


def _shown(request, form=None):
    device = None
    if two_step.device_of(request.user):
        state, form = "on", form or OffForm(request=request)
    elif device := two_step.begun(request.user):
        state, form = "begun", form or CodeForm()
    else:
        state, form = "off", form or PasswordAgainForm(request=request)
    context = {"state": state, "form": form}
    if device:
        context |= {"code": _drawn(device.config_url), "secret": two_step.secret_words(device)}
    return render(request, "two_step.html", context)


def _drawn(text: str) -> str:
    """A QR code as SVG that stands in the page itself: no file keeps the secret."""
    code = segno.make(text, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=5, border=4, title="给手机扫的二维码", light="#fff"))
