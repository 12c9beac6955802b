"""Users: who may log in, and in which roles."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django_otp.plugins.otp_totp.models import TOTPDevice

from cadres import two_step
from cadres.admin.forms import shown_only
from cadres.admin.user_forms import NewPasswordForm, UserAddForm, UserChangeForm, roles_of
from cadres.desk import FilterForm, OfficeAdmin, filtered_by, select
from cadres.login import PasswordAgainForm
from cadres.masking import mask_phone
from cadres.models import User, UserRole
from cadres.resources import UserResource
from cadres.roles import AT_DESK, Role, is_above, may_change_account
from cadres.tables import TableAdmin

admin.site.unregister(Group)
admin.site.unregister(
    TOTPDevice
)  # shows secrets; what the office needs of it is on the user's page


class UserFilter(FilterForm):
    role = select("角色", [(role.label, role.label) for role in Role])
    is_active = select("启用", [("yes", "启用"), ("no", "停用")])

    def by_role(self, users, value):
        return users.filter(groups__name=value)

    def by_is_active(self, users, value):
        return users.filter(is_active=value == "yes")


_ROLE_FIELDS = ("角色", {"fields": ["groups", "retiree", "community"]})


@admin.register(User)
class UserAdmin(TableAdmin, OfficeAdmin, auth_admin.UserAdmin):
    resource_class = UserResource
    form, add_form = UserChangeForm, UserAddForm
    add_form_template = None  # Django's own speaks English
    history_parts = ((UserRole, "user"),)
    list_display = ["username", "name", "phone_masked", "roles", "retiree", "community"]
    list_display += ["is_active", "last_login"]
    list_select_related = ["retiree", "community"]
    list_filter = filtered_by(UserFilter)
    ordering = ["username"]
    search_fields = ["username", "name", "=phone"]
    search_help_text = "用户名、姓名或完整手机号"
    autocomplete_fields = ["retiree"]
    readonly_fields = ["shown_phone", "password_link", "two_step_link", "last_login", "date_joined"]
    change_password_form = NewPasswordForm
    filter_horizontal = ()
    fieldsets = [
        ("账号", {"fields": [("username", "name"), ("shown_phone", "new_phone"), "is_active"]}),
        _ROLE_FIELDS,
        ("登录", {"fields": ["password_link", "two_step_link", ("last_login", "date_joined")]}),
    ]
    add_fieldsets = [
        (
            "账号",
            {
                "fields": ["username", ("name", "phone"), ("password1", "password2")],
                "description": "这个密码只用一次：用户第一次登录就要换成自己的。",
            },
        ),
        _ROLE_FIELDS,
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request, obj=None):
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or may_change_account(request.user, obj, roles_of(obj))

    def get_fieldsets(self, request, obj=None):
        found = super().get_fieldsets(request, obj)
        may_change = obj is None or self.has_change_permission(request, obj)
        return found if may_change else shown_only(found)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.acting = request.user
        return form

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        """Who has a role at the desk may open it."""
        roles = {group.name for group in form.cleaned_data.get("groups", [])}
        obj.is_staff = obj.is_superuser or bool(roles & set(AT_DESK))
        super().save_model(request, obj, form, change)

    def user_change_password(self, request, id, form_url=""):
        user = self.get_object(request, id)
        if user and user.pk == request.user.pk:
            return redirect("admin:password_change")  # with the old one
        if not self.has_change_permission(request, user) or not _may_reset(request.user, user):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def get_urls(self):
        address = path(
            "<id>/two-step-off/",
            self.admin_site.admin_view(self.two_step_off),
            name="cadres_user_two_step_off",
        )
        return [address, *super().get_urls()]

    def two_step_off(self, request, id):
        """The head lets in somebody who has lost his phone: after this a password is enough."""
        user = self.get_object(request, id)
        if user is None:
            raise Http404
        if not is_above(request.user) or not self.has_change_permission(request, user):
            raise PermissionDenied
        if user.pk == request.user.pk:
            return redirect("two-step")  # with the digits
        form = PasswordAgainForm(request.POST or None, request=request)
        if request.method != "POST" or not form.is_valid():
            context = self.admin_site.each_context(request) | {
                "title": f"关闭{user}的两步验证", "form": form, "original": user, "opts": self.opts
            }  # fmt: skip
            return TemplateResponse(request, "admin/cadres/user/two_step_off.html", context)
        if two_step.switch_off(user=user, by=request.user):
            messages.success(request, f"已关闭{user}的两步验证，现在用密码就能登录。")
        else:
            messages.warning(request, f"{user}没有打开两步验证。")
        return redirect("admin:cadres_user_change", user.pk)

    @admin.display(description="两步验证")
    def two_step_link(self, user):
        if two_step.device_of(user) is None:
            return "没有打开"
        address = reverse("admin:cadres_user_two_step_off", args=[user.pk])
        return format_html('已经打开。<a href="{}">手机丢了：关闭（由负责人来做）</a>', address)

    @admin.display(description="密码")
    def password_link(self, user):
        address = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}">给这个用户重设密码</a>', address)

    @admin.display(description="手机号")
    def phone_masked(self, user):
        return mask_phone(user.phone)

    @admin.display(description="手机号")
    def shown_phone(self, user):
        return mask_phone(user.phone) or "—"

    @admin.display(description="角色")
    def roles(self, user):
        return "、".join(group.name for group in user.groups.all()) or None


def _may_reset(acting, user) -> bool:
    """The password of somebody at the desk is the head's to set: it opens the desk."""
    return user is None or not user.is_staff or is_above(acting)
