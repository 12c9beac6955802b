"""The second step of an office log-in: six digits that an app on one's own phone shows (TOTP)."""

import base64
import datetime

import pghistory
from django.db import transaction
from django.utils import timezone
from django_otp import verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from cadres.jobs import RefusedError
from cadres.models import User

#: Labels in the history of the user.
ON, OFF = "two-step-on", "two-step-off"
#: Switching on has to be finished within this time.
OPEN_FOR = datetime.timedelta(minutes=15)


class TwoStepRefusedError(RefusedError):
    """The second step is not switched; the text says why."""


def device_of(user: User) -> TOTPDevice | None:
    """The phone whose digits this user is asked for; None where one step is enough."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def begun(user: User) -> TOTPDevice | None:
    """A phone that has been shown the secret but has not proved it yet."""
    since = timezone.now() - OPEN_FOR
    return TOTPDevice.objects.filter(user=user, confirmed=False, created_at__gte=since).first()


@transaction.atomic
def begin(*, by: User) -> TOTPDevice:
    """A new secret to be shown; nothing is asked for yet. Raises TwoStepRefusedError."""
    user = User.objects.select_for_update().get(pk=by.pk)
    if device_of(user):
        raise TwoStepRefusedError("两步验证已经打开了。")
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name="手机", confirmed=False)


@transaction.atomic
def switch_on(*, code: str, by: User) -> bool:
    """The phone shows the right digits: from now on they are asked for at every log-in.

    False for wrong digits. Raises TwoStepRefusedError when it took too long.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    device = begun(user)
    if device is None:
        raise TwoStepRefusedError("时间太久了，请重新开始。")
    if not _proves(device, user, code):
        return False
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    pghistory.create_event(user, label=ON)
    return True


def _proves(device: TOTPDevice, user: User, code: str) -> bool:
    return verify_token(user, device.persistent_id, code) is not None


def is_right(*, user: User, code: str) -> bool:
    """Whether these are the digits of the moment; the same ones are right only once."""
    device = device_of(user)
    return device is not None and _proves(device, user, code)


def must_wait(user: User) -> bool:
    """After wrong digits nothing is looked at for some seconds, longer each time."""
    device = device_of(user)
    return device is not None and not device.verify_is_allowed()[0]


@transaction.atomic
def switch_off(*, user: User, by: User | None) -> bool:
    """A password is enough again; False when it was before. Stands in the user's history."""
    user = User.objects.select_for_update().get(pk=user.pk)
    was_on = device_of(user) is not None
    TOTPDevice.objects.filter(user=user).delete()
    if was_on:
        pghistory.create_event(user, label=OFF)
    return was_on


def secret_words(device: TOTPDevice) -> str:
    """The secret in groups of four, to be typed where no camera is."""
    secret = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
