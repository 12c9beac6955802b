from branches.forms.imports import RosterUploadForm
from branches.forms.mapping import NamesForm

__all__ = ["NamesForm", "RosterUploadForm"]
