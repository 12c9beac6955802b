from branches.forms.branches import BranchFilter
from branches.forms.imports import RosterUploadForm

__all__ = ["BranchFilter", "RosterUploadForm"]
