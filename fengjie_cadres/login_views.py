"""From the password to the home page, and everything about a session that a page can ask for."""

import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login, password_validation, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from cadres import accounts, sessions
from cadres.roles import is_office
from fengjie_cadres.context import choose_role
from fengjie_cadres.forms import OwnPasswordForm

#: What a page that was left is called, by the beginning of its address.
_PAGES = [
    ("/admin/", "办公桌"),
    ("/people/", "老同志"),
    ("/imports/", "导入名册"),
    ("/exports/", "导出"),
    ("/comparisons/", "信息比对"),
    ("/departures/", "登记去世或转出"),
    ("/care/", "关心关爱"),
    ("/points/", "时间银行积分"),
]


def locked(request, original_response=None, credentials=None):
    """The one answer for too many tries, whatever was tried (django-axes calls it)."""
    return render(request, "locked.html", status=429)


def let_in(request, user, url: str):
    """Somebody has shown who he is. What he had typed before waits for him, else he goes to url.

    Who only comes back keeps the token of his forms, or those in his other tabs would be refused.
    """
    token = request.META.get("CSRF_COOKIE")
    is_back = sessions.left_by(request.session) == user.pk
    sessions.come_back(request.session, user)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    if is_back:
        request.META["CSRF_COOKIE"] = token
    return redirect("resume" if sessions.typed(request.session, user) else url)


@sensitive_post_parameters()
def password(request):
    """One's own new password; here, and nowhere else, the office's people change theirs too."""
    form = OwnPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if request.method == "POST" and form.is_valid():
        accounts.change_password(password=form.cleaned_data["new_password"], by=request.user)
        update_session_auth_hash(request, request.user)
        messages.success(request, "密码改好了。别的电脑和手机上的登录已经退出。")
        return redirect("resume" if sessions.typed(request.session, request.user) else "home")
    context = {
        "form": form,
        "rules": password_validation.password_validators_help_texts(),
        "is_first": request.user.must_change_password,
        "is_office": is_office(request.user),
    }
    return render(request, "password.html", context)


@require_POST
def still_here(request):
    """Somebody answers the warning; that he asked for a page is all it takes."""
    return HttpResponse(status=204)


@require_POST
def role(request):
    """Shows the home page of another of one's own roles."""
    if not choose_role(request, request.POST.get("role", "")):
        messages.error(request, "您没有这个角色，请在页面上方选择。")
    return redirect("home")


def resume(request):
    """What somebody had typed when his session ended: to be sent after all, or thrown away."""
    found = sessions.typed(request.session, request.user)
    if request.method == "POST":
        sessions.drop(request.session)
        messages.success(request, "好的，刚才没有提交的内容已经丢掉。")
        return redirect("home")
    if found is None:
        messages.error(request, "没有留着的内容，请重新填写。")
        return redirect("home")
    at = datetime.datetime.fromtimestamp(found["at"], tz=datetime.UTC)
    context = {"typed": found, "page_name": _page_name(found["path"]), "at": at}
    return render(request, "resume.html", context)


def _page_name(path: str) -> str:
    """The page that an address of ours belongs to, in words."""
    path = urlsplit(path).path
    try:
        name = resolve(path).url_name or ""
    except Resolver404:
        name = ""
    for model in admin.site._registry:
        opts = model._meta
        if name.startswith(f"{opts.app_label}_{opts.model_name}_"):
            return f"办公桌的“{opts.verbose_name}”"
    return next((words for start, words in _PAGES if path.startswith(start)), "刚才的页面")
