"""How long a session lives, and what was typed when it ended. All of it stays on the server."""

import re
import time

from django.conf import settings

_SEEN, _BEGAN, _LEFT, _LEFT_BY, _TYPED = "seen_at", "began_at", "left", "left_by", "typed"
#: What was typed is kept up to this size, and for so many seconds.
MAX_CHARACTERS = 1024 * 1024
KEPT_FOR = 30 * 60
#: Never kept. A box for a password has `password` in its name, one for a PIN ends with `pin`.
_SECRET = re.compile(r"password|csrfmiddlewaretoken|(^|_)pin\d?$|(^|_)code$", re.IGNORECASE)


def idle_seconds() -> float:
    return settings.IDLE_MINUTES * 60


def start(session) -> None:
    """Somebody has just logged in."""
    session[_BEGAN] = session[_SEEN] = time.time()


def is_over(session) -> bool:
    """Too long without a request, or too long altogether."""
    now = time.time()
    idle = now - session.get(_SEEN, now) > idle_seconds() + _grain()
    return idle or now - session.get(_BEGAN, now) > settings.SESSION_HOURS * 3600


def touch(session) -> None:
    """Notes a request; not every one, or each page would cost a write."""
    if _BEGAN not in session:
        start(session)
    elif time.time() - session[_SEEN] > _grain():
        session[_SEEN] = time.time()


def _grain() -> float:
    return idle_seconds() / 60


def leave(session, *, user: int) -> None:
    """A session that is nobody's any more: whose it was, and why the log-in page asks again."""
    session[_LEFT], session[_LEFT_BY] = "nothing", user
    session.set_expiry(KEPT_FOR)


def left_by(session) -> int | None:
    """Whose session ended in this browser a short while ago: his other tabs may still send."""
    return session.get(_LEFT_BY)


def left(session) -> str:
    """Why somebody has to log in again: `nothing` was typed, or it was `kept`, or is `lost`."""
    return session.get(_LEFT, "")


def keep(request) -> None:
    """Puts a post that came too late into the session that took the old one's place.

    Only the latest: who sends forms from two tabs after lunch finds the second one.
    """
    fields = [[name, values] for name, values in request.POST.lists() if not _SECRET.search(name)]
    if sum(len(name) + len(value) for name, values in fields for value in values) > MAX_CHARACTERS:
        request.session[_LEFT] = "lost"
        return
    request.session[_LEFT] = "kept"
    request.session[_TYPED] = {
        "user": left_by(request.session),
        "path": request.get_full_path(),
        "at": time.time(),
        "fields": fields,
        "had_file": bool(request.FILES),
        "had_secret": any("password" in name.lower() for name in request.POST),
    }


def come_back(session, user) -> None:
    """Somebody logs in: what another one typed is dropped before he is let in."""
    session.pop(_LEFT, None)
    session.pop(_LEFT_BY, None)
    session.set_expiry(None)
    if typed(session, user) is None:
        drop(session)


def typed(session, user) -> dict | None:
    """What this user, and nobody else, had typed: user, path, at, fields, had_file, had_secret."""
    found = session.get(_TYPED)
    is_ours = found and found["user"] == user.pk and time.time() - found["at"] <= KEPT_FOR
    return found if is_ours else None


def drop(session, path: str | None = None) -> None:
    """Forgets what was typed, or only what was meant for a path."""
    if _TYPED in session and path in (None, session[_TYPED]["path"]):
        del session[_TYPED]
