"""The database's own record of every change: who, when, from where."""

import pghistory


def tracked(*, exclude: tuple[str, ...] = ()):
    """Class decorator: every insert, update and delete of the model is recorded by triggers."""
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        exclude=list(exclude) or None,
    )
