"""How often somebody may try to log in: five wrong passwords close a name, fifty an address.

Counted in the rows of django-axes, so a restart forgets nothing. Of what was typed only a keyed
digest is kept: people type passwords and phone numbers into the box for the name.
"""

import ipaddress

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from cadres import sessions
from cadres.masking import digest

_UNKNOWN = "0.0.0.0"
#: Stands where a browser's name would: this row closes an address.
_CLOSES = "closed"


class Throttle(AxesDatabaseHandler):
    """axes asks and tells; what counts is decided here.

    A name is shown as closed only by failures under that very name, whether anybody has it or
    not: otherwise a closed user name would tell which phone number belongs to it.
    """

    def get_failures(self, request, credentials=None) -> int:
        return _failures((credentials or {}).get("username"))

    def is_locked(self, request, credentials=None) -> bool:
        tried = self.get_failures(request, credentials)
        return tried >= settings.AXES_FAILURE_LIMIT or is_address_closed(client_address(request))

    def user_login_failed(self, sender, credentials, request=None, **kwargs) -> None:
        typed = credentials.get("username")
        if request is not None and typed and not request.axes_locked_out:
            request.axes_locked_out = record(request, typed)

    def user_logged_in(self, sender, request, user, **kwargs) -> None:
        """Every way of logging in passes here: the failures are forgotten, the clock starts."""
        forget(user)
        sessions.start(request.session)

    def user_logged_out(self, sender, request, user, **kwargs) -> None:
        pass

    def reset_attempts(self, *, ip_address=None, username=None, ip_or_username=False) -> int:
        key = _key(username) if username else None
        return super().reset_attempts(
            ip_address=ip_address, username=key, ip_or_username=ip_or_username
        )


def _key(typed: str) -> str:
    return digest(f"login:{typed}")


def _recent() -> QuerySet[AccessAttempt]:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    return AccessAttempt.objects.filter(attempt_time__gte=since)


def _failures(*names: str | None) -> int:
    tried = _recent().filter(username__in=[_key(name) for name in names if name])
    return tried.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


def is_closed(*names: str | None) -> bool:
    """Whether the failures under all names of one account (user name, phone) are too many."""
    return _failures(*names) >= settings.AXES_FAILURE_LIMIT


def is_address_closed(address: str) -> bool:
    return _recent().filter(username=None, ip_address=address, user_agent=_CLOSES).exists()


def record(request, typed: str) -> bool:
    """Notes a failure; True when it was the one that closes the name or the address."""
    now, address = timezone.now(), client_address(request)
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    row, _ = AccessAttempt.objects.get_or_create(
        username=_key(typed),
        ip_address=address,
        user_agent="",
        defaults={"failures_since_start": 0},
    )
    AccessAttempt.objects.filter(pk=row.pk).update(
        failures_since_start=F("failures_since_start") + 1, attempt_time=now
    )
    return _close(address) or _failures(typed) >= settings.AXES_FAILURE_LIMIT


def _close(address: str) -> bool:
    """Closes an address whose failures, under whatever names, have become too many."""
    if is_address_closed(address):
        return True
    tried = _recent().filter(ip_address=address).aggregate(sum=Sum("failures_since_start"))["sum"]
    if (tried or 0) < settings.ADDRESS_FAILURE_LIMIT:
        return False
    AccessAttempt.objects.create(
        username=None, ip_address=address, user_agent=_CLOSES, failures_since_start=0
    )
    return True


def forget(user) -> None:
    """A right password, or a new one from the office: the account's count begins anew."""
    names = [_key(name) for name in (user.username, user.phone) if name]
    AccessAttempt.objects.filter(username__in=names).delete()


def client_address(request) -> str:
    """Where a request comes from; an IPv6 customer's whole /64 counts as one address.

    X-Forwarded-For is believed only of our own proxies (TRUSTED_PROXIES), read from the right:
    what a client writes into it himself stands further left and is never reached.
    """
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    hops.append(request.META.get("REMOTE_ADDR") or "127.0.0.1")  # a Unix socket has no address
    found = None
    for hop in reversed(hops):
        address = _parsed(hop)
        if address is None:
            break
        found = address
        if not any(address in network for network in settings.TRUSTED_PROXIES):
            break
    return _counted(found)


def _parsed(text: str):
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _counted(address) -> str:
    if address is None:
        return _UNKNOWN
    if address.version == 6:
        return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
    return str(address)
