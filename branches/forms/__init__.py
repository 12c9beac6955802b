from branches.forms.branches import BranchFilter
from branches.forms.departures import DepartureForm, ReturnForm, TakeBackForm
from branches.forms.imports import RosterUploadForm
from branches.forms.mapping import NamesForm

__all__ = [
    "BranchFilter",
    "DepartureForm",
    "NamesForm",
    "ReturnForm",
    "RosterUploadForm",
    "TakeBackForm",
]
