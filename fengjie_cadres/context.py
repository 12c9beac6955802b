"""What every signed-in page needs: the roles to switch between, and when the session will end."""

from django.utils.functional import SimpleLazyObject

from branches.access import roles_of
from cadres import sessions
from cadres.roles import Role

_ROLE = "role"


def shown_role(request) -> str:
    """The role whose home page is shown: the chosen one while it is held, else the first.

    Only the home page depends on it. Rights are those of all roles together, whichever is shown:
    who may do something need not find out in which role.
    """
    roles = my_roles(request)
    chosen = request.session.get(_ROLE)
    return chosen if chosen in roles else next(iter(roles), "")


def my_roles(request) -> dict[str, str]:
    """The roles of who is signed in, by key and in words; asked once a request."""
    if not hasattr(request, "_roles"):
        request._roles = roles_of(request.user)
    return request._roles


def choose_role(request, role: str) -> bool:
    """Shows the home page of another of one's roles; False when it is none of them."""
    if role not in my_roles(request):
        return False
    request.session[_ROLE] = role
    return True


def _idle_seconds(request) -> float:
    """After how long a page warns; 0 for who is only a 老同志: nothing pops up for them."""
    return 0 if set(my_roles(request)) == {Role.RETIREE.value} else sessions.idle_seconds()


def session(request) -> dict:
    """Lazy: templates ask for these only where somebody is signed in."""
    return {
        "my_roles": SimpleLazyObject(lambda: my_roles(request)),
        "shown_role": SimpleLazyObject(lambda: shown_role(request)),
        "idle_seconds": SimpleLazyObject(lambda: _idle_seconds(request)),
    }
