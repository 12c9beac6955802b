"""The office's desk: stock admin with our own words and order."""

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

#: What is used most stands first; everything else follows.
_ORDER = [
    "Retiree",
    "Unit",
    "Area",
    "Township",
    "Community",
    "TownshipAlias",
    "CommunityAlias",
    "User",
    "Branch",
    "Membership",
    "CommitteeSeat",
    "ImportBatch",
    "Rule",
]
_APPS = ["cadres", "branches", "points"]


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


class AutocompleteView(AutocompleteJsonView):
    """Suggestions that tell people of the same name apart."""

    def process_request(self, request):
        term, *rest = super().process_request(request)
        return (term.replace("\0", ""), *rest)

    def serialize_result(self, obj, to_field_name):
        label = getattr(self.model_admin, "autocomplete_label", str)
        return {"id": str(getattr(obj, to_field_name)), "text": label(obj)}


class OfficeAdminSite(admin.AdminSite):
    site_header = "银耀奉节 · 老干部工作平台"
    site_title = "银耀奉节"
    index_title = "办公桌"
    enable_nav_sidebar = True
    empty_value_display = "—"
    site_url = "/"

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request, extra_context=None):
        """There is one log-in page; who is logged in without a desk is told that it is closed."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(self, request, extra_context=None):
        """One's own password has one page."""
        return redirect("password")

    def password_change_done(self, request, extra_context=None):
        return redirect("home")

    def get_app_list(self, request, app_label=None):
        apps = self._build_app_dict(request, app_label).values()
        for app in apps:
            app["models"].sort(key=lambda model: _place(model["object_name"], _ORDER))
        return sorted(apps, key=lambda app: _place(app["app_label"], _APPS))

    def autocomplete_view(self, request):
        return AutocompleteView.as_view(admin_site=self)(request)
