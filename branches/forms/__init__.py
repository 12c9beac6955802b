from branches.forms.branches import BranchFilter
from branches.forms.departures import DepartureForm, ReturnForm, TakeBackForm
from branches.forms.imports import RosterUploadForm

__all__ = ["BranchFilter", "DepartureForm", "ReturnForm", "RosterUploadForm", "TakeBackForm"]
