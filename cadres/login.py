"""Logging in by user name or phone number."""

from django.conf import settings
from django.contrib.auth.backends import ModelBackend

from cadres.models import User


class NameOrPhoneBackend(ModelBackend):
    """The same answer, in the same time, for an unknown user, a wrong password, a disabled user."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        typed = username or kwargs.get(User.USERNAME_FIELD)
        if not typed or password is None:
            return None
        user = (
            User.objects.filter(username=typed).first() or User.objects.filter(phone=typed).first()
        )
        if user is None:
            User().set_password(password)  # takes as long as checking one
            return None
        is_known_to_all = password == settings.DEMO_PASSWORD and not settings.DEMO
        right = user.check_password(password) and not is_known_to_all
        return user if right and self.user_can_authenticate(user) else None
