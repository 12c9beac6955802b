"""Logging in by user name or phone number, and the password again before dangerous acts."""

from django import forms
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password
from django.db.models import Q

from cadres import throttle
from cadres.models import User

_CLOSED = "密码错了太多次，请过十五分钟再试。"


class NameOrPhoneBackend(ModelBackend):
    """The same answer, in the same time, for an unknown user, a wrong password, a disabled user,
    and an account that was closed under its other name."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        typed = username or kwargs.get(User.USERNAME_FIELD)
        if not typed or password is None:
            return None
        found = User.objects.filter(Q(username=typed) | Q(phone=typed))
        user = max(found, key=lambda user: user.username == typed, default=None)
        names = (user.username, user.phone) if user else (typed,)
        is_closed = throttle.is_closed(*names)
        if user is None:
            User().set_password(password)  # takes as long as checking one
            return None
        right = user.check_password(password) and not is_known_to_all(password)
        return user if right and not is_closed and self.user_can_authenticate(user) else None


def is_known_to_all(password: str) -> bool:
    """The demo's password stands in the source: outside the demo it opens nothing."""
    return password == settings.DEMO_PASSWORD and not settings.DEMO


def wrong_password(request, typed: str) -> str:
    """Why this is not the password of whoever is signed in, as a sentence; empty when it is.

    Each wrong one counts as it does at the log-in: a session left open is no place to guess.
    """
    user = request.user
    if throttle.is_closed(user.username, user.phone):
        return _CLOSED
    if check_password(typed, user.password) and not is_known_to_all(typed):
        return ""
    throttle.record(request, user.username)
    is_closed = throttle.is_closed(user.username, user.phone)
    return _CLOSED if is_closed else "密码不对，请重新填写。"


class PasswordField(forms.CharField):
    """One's present password. What is kept of a late post leaves out boxes named `…password…`."""

    def __init__(self, *, label: str = "您的登录密码", **kwargs):
        super().__init__(
            label=label,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            error_messages={"required": f"请填写{label}。"},
            **kwargs,
        )


class PasswordAgainForm(forms.Form):
    """A form for a dangerous act: takes `request=` and asks for the password of who is signed in.

    A subclass whose act is dangerous only sometimes overrides `is_dangerous`, and the field with
    one that is not required.
    """

    password = PasswordField()

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request
        self.order_fields([name for name in self.fields if name != "password"])

    def is_dangerous(self) -> bool:
        return True

    def clean(self):
        found = super().clean()
        if self.is_dangerous() and "password" not in self.errors:
            typed = self.cleaned_data.get("password")
            wrong = wrong_password(self.request, typed) if typed else "请填写您的登录密码。"
            if wrong:
                self.add_error("password", wrong)
        return found
