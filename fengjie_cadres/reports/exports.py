"""Makes the workbook of an export, as a job."""

import tempfile

from django.core.files import File
from django.utils import timezone

from cadres import jobs
from cadres.disclosure import DisclosureRefusedError, finish_export
from cadres.models import SECOND_PERSON_FROM, Export
from cadres.roles import is_office
from fengjie_cadres.reports.tables import TABLES
from fengjie_cadres.reports.workbook import Origin, write_book


def export_job(job: jobs.Job) -> str:
    """Fills the file of a job's export; the address of its page."""
    export = Export.objects.select_related("asked_by").get(pk=job.params["export"])
    _check(export)
    jobs.tell(job, f"正在生成，{export.people} 人", 0, export.people)
    return finish_export(export=export, write=write).get_absolute_url()


def _check(export: Export) -> None:
    """Between asking and making the rights may have gone, and the list may have grown.

    Raises DisclosureRefusedError.
    """
    table, by = TABLES[export.kind], export.asked_by
    if not table.is_for(by) or (export.is_full and not is_office(by)):
        raise DisclosureRefusedError("提出的人现在不能导出这张表。")
    is_alone = export.is_full and not export.decided_by_id
    if is_alone and table.count(export.params, by) >= SECOND_PERSON_FROM:
        raise DisclosureRefusedError("名单的人数变多了，请重新导出，由另一位负责人同意。")


def write(export: Export) -> None:
    """Writes the workbook and notes how many rows it has."""
    now = timezone.localtime()
    sheets = TABLES[export.kind].fill(export, now.date())
    origin = Origin(
        str(export.asked_by), f"{now:%Y-%m-%d %H:%M}", export.filter_words, export.number
    )
    with tempfile.TemporaryFile() as book:  # a large one does not fit into the memory
        write_book(book, sheets, origin)
        book.seek(0)
        export.file.save("export.xlsx", File(book), save=False)
