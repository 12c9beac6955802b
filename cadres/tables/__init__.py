"""The office's small tables (units, branches, users …) as workbooks, out of the admin and back.

django-import-export does the rows; files are read by our own limited reader, words are ours, and
a file is taken whole or not at all.
"""

from cadres.tables.columns import (
    AliasColumn,
    Column,
    Count,
    Day,
    FixedColumn,
    KeyColumn,
    Money,
    Named,
    Names,
    Number,
    PartsColumn,
    Text,
    Word,
    YesNo,
)
from cadres.tables.desk import TableAdmin, TableExportAdmin
from cadres.tables.files import TableRefusedError
from cadres.tables.resource import TableResource

__all__ = [
    "AliasColumn",
    "Column",
    "Count",
    "Day",
    "FixedColumn",
    "KeyColumn",
    "Money",
    "Named",
    "Names",
    "Number",
    "PartsColumn",
    "TableAdmin",
    "TableExportAdmin",
    "TableRefusedError",
    "TableResource",
    "Text",
    "Word",
    "YesNo",
]
