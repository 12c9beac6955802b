"""The database's own record of every change: who, when, from where."""

import pghistory


def tracked(*, exclude: tuple[str, ...] = (), also: tuple[str, ...] = ()):
    """Class decorator: every insert, update and delete of the model is recorded by triggers.

    `also` names events that no change of the row shows; an action creates them itself.
    """
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        *(pghistory.ManualEvent(label) for label in also),
        exclude=list(exclude) or None,
    )
