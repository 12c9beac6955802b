"""Forms of logging in: the log-in itself, one's own new password, the digits of a phone."""

import unicodedata

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm

from cadres.login import PasswordField, wrong_password


class LoginForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "用户名（或手机号）或密码不对，请再试一次。忘记了请打办公室电话。",
        "inactive": "用户名（或手机号）或密码不对，请再试一次。忘记了请打办公室电话。",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "用户名或手机号"
        self.fields["password"].label = "密码"


def _new_password(label: str, **kwargs) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": f"请填写{label}。"},
        **kwargs,
    )


class OwnPasswordForm(forms.Form):
    """One's own new password, twice, after the present one."""

    old_password = PasswordField(label="现在的密码")
    new_password = _new_password("新密码")
    new_password_again = _new_password("再填一遍新密码")

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self):
        typed = self.cleaned_data["old_password"]
        if wrong := wrong_password(self.request, typed):
            raise forms.ValidationError(wrong)
        return typed

    def clean_new_password(self):
        typed = self.cleaned_data["new_password"]
        if typed == self.cleaned_data.get("old_password"):
            raise forms.ValidationError("新密码要和现在的不一样。")
        password_validation.validate_password(typed, self.request.user)
        return typed

    def clean(self):
        found = super().clean()
        again = found.get("new_password_again")
        if again and "new_password" in found and again != found["new_password"]:
            self.add_error("new_password_again", "两遍新密码不一样，请重新填写。")
        return found


class CodeForm(forms.Form):
    """The six digits that the app on one's phone shows."""

    code = forms.CharField(
        label="六位数字",
        max_length=20,
        help_text="打开手机上的验证器，填“银耀奉节”下面的六位数字。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": "请填写六位数字。", "max_length": "请填写六位数字。"},
    )

    def clean_code(self):
        """Digits as a Chinese keyboard may give them, blanks as apps show them."""
        typed = unicodedata.normalize("NFKC", self.cleaned_data["code"])
        digits = "".join(typed.split())
        if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
            raise forms.ValidationError("请填写六位数字。")
        return digits
