from branches.forms.imports import RosterUploadForm

__all__ = ["RosterUploadForm"]
