"""The forms of the desk's page about a user."""

import re

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserCreationForm
from django.contrib.auth.models import Group

from cadres import cleaning, throttle
from cadres.admin.forms import SecretInput, communities_by_township
from cadres.models import User
from cadres.roles import Role, fault_of_roles


class RolesForm(forms.ModelForm):
    """What the form for a new user and the one for a known user have in common."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "community" in self.fields:
            self.fields["community"].choices = communities_by_township()
        if "groups" in self.fields:
            self.fields["groups"].queryset = Group.objects.filter(name__in=Role.labels).order_by(
                "id"
            )
            self.fields["groups"].label = "角色"
            self.fields["groups"].help_text = "支部书记不在这里选：谁任书记，谁就是。"

    def clean_groups(self):
        chosen = self.cleaned_data["groups"]
        before = roles_of(self.instance) if self.instance.pk else set()
        after = {group.name for group in chosen}
        if fault := fault_of_roles(self.acting, self.instance, before, after):
            raise forms.ValidationError(fault)
        return chosen

    def clean_username(self):
        username = self.cleaned_data["username"]
        if re.fullmatch(r"1\d{10}", username):
            raise forms.ValidationError("用户名不能是手机号，请把手机号填在“手机号”一栏。")
        return username

    def clean_is_active(self):
        if not self.cleaned_data["is_active"] and self.instance.pk == self.acting.pk:
            raise forms.ValidationError("不能停用自己的账号。")
        return self.cleaned_data["is_active"]

    def clean(self):
        super().clean()
        roles = {group.name for group in self.cleaned_data.get("groups", [])}
        for role, name in ((Role.RETIREE, "retiree"), (Role.CONTACT, "community")):
            if role.label in roles and not self.cleaned_data.get(name):
                label = self.fields[name].label
                self.add_error(name, f"角色有“{role.label}”，请填写{label}。")
        return self.cleaned_data


def read_mobile(text: str) -> str:
    """A mobile number as it is kept. Raises ValidationError with one sentence."""
    number = cleaning.read_phone(text) or ""
    if not re.fullmatch(r"1\d{10}", number):
        raise forms.ValidationError("手机号是 11 位数字。")
    return number


class UserChangeForm(RolesForm):
    """The phone, often a retiree's own, is not shown in full: a new one is typed beside it."""

    new_phone = SecretInput(read_mobile, label="新手机号")

    class Meta:
        model = User
        fields = ["username", "name", "groups", "retiree", "community", "is_active"]

    def clean_new_phone(self):
        phone = self.cleaned_data["new_phone"]
        holder = phone and User.objects.exclude(pk=self.instance.pk).filter(phone=phone).first()
        if holder:
            raise forms.ValidationError(f"这个手机号已登记在“{holder}”名下，请核对。")
        return phone

    def save(self, commit=True):
        phone = self.cleaned_data["new_phone"]
        if phone is not None:
            self.instance.phone = phone or None
        return super().save(commit)


class UserAddForm(RolesForm, UserCreationForm):
    class Meta:
        model = User
        fields = ["username", "name", "phone", "groups", "retiree", "community"]

    def save(self, commit=True):
        self.instance.must_change_password = True
        return super().save(commit)


class NewPasswordForm(AdminPasswordChangeForm):
    """A new password, twice; there is no other way to log in than by password.

    Who has been given it must change it, and is let in at once if wrong tries kept him out.
    """

    usable_password = None

    def save(self, commit=True):
        self.user.must_change_password = True
        throttle.forget(self.user)
        return super().save(commit)


def roles_of(user) -> set[str]:
    return set(user.groups.values_list("name", flat=True))
