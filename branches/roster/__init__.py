"""Rosters on their way into the county: stage, preview, write, undo.

Every step looks at the same staged rows, so that what was previewed is what is written, and a
killed worker begins again from what the database holds.
"""

from branches.roster.mapping import MappingRefusedError, map_names
from branches.roster.missing import MissingRefusedError, rule_omitted
from branches.roster.stage import accept_upload, stage, stage_job
from branches.roster.undo import UndoRefusedError, empty_old_imports, undo
from branches.roster.write import (
    ImportRefusedError,
    confirm,
    discard,
    write,
    write_job,
)

__all__ = [
    "ImportRefusedError",
    "MappingRefusedError",
    "MissingRefusedError",
    "UndoRefusedError",
    "accept_upload",
    "confirm",
    "discard",
    "empty_old_imports",
    "map_names",
    "rule_omitted",
    "stage",
    "stage_job",
    "undo",
    "write",
    "write_job",
]
