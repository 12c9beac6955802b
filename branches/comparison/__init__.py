"""信息比对: any office's list beside the county's people. Nobody's record is written.

A comparison is an import batch that the database forbids to be written. Its staged rows are the
result: rows of the list, and one more row (of no sheet) for everybody whom the list lacks.
"""

from branches.comparison.read import accept_list, ask_workbook, compare, compare_job

__all__ = ["accept_list", "ask_workbook", "compare", "compare_job"]
