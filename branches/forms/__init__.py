from branches.forms.departures import DepartureForm, ReturnForm, TakeBackForm
from branches.forms.imports import RosterUploadForm

__all__ = ["DepartureForm", "ReturnForm", "RosterUploadForm", "TakeBackForm"]
