"""A list on its way in: kept, read and compared, in one transaction; its result asked for."""

import hashlib

from django.db import transaction
from django.utils import timezone

from branches.comparison.judge import judge
from branches.models import ImportBatch, ImportState, Purpose, Scope, StagedRow
from branches.roster.names import known_names
from branches.roster.stage import (
    copy_rows,
    keep_file,
    notes_of,
    plain_name,
    read_file,
    sent_just_now,
)
from cadres import jobs
from cadres.disclosure import ask_export
from cadres.lists import ListReader, shown_cell
from cadres.models import Export, User
from cadres.rosters import read_roster
from cadres.spreadsheets import MAX_BYTES, WorkbookRefusedError

#: Kind of the export that a comparison's workbook is.
EXPORT = "comparison"
#: With whom a list is compared.
SCOPES = {
    Scope.NONE: "只看表中的人",
    Scope.UNITS: "表中各单位",
    Scope.COUNTY: "全县在册",
}


class ComparisonRefusedError(jobs.RefusedError):
    """There is no result to be had; the text says why."""


@transaction.atomic
def accept_list(*, file, source: str, scope: str, by: User, in_background=True) -> ImportBatch:
    """Keeps a list and has it compared. Raises RefusedError when that cannot be.

    `source`: what the list is (民政局2026年去世人员). It stands where an import has its file's
    name; that one is noted. Sent twice, the first one is found.
    """
    if file.size > MAX_BYTES:
        raise WorkbookRefusedError("too_big")
    batch = ImportBatch(
        purpose=Purpose.COMPARE,
        file_name=shown_cell(source)[:200],
        checksum=hashlib.sha256(file.read()).hexdigest(),
        scope=Scope(scope),
        effective_on=timezone.localdate(),
        uploaded_by=by,
        notes={"file": plain_name(file.name)},
    )
    if sent := sent_just_now(batch):
        return sent
    keep_file(batch, file)
    if in_background:
        title = f"比对名单“{batch.file_name}”"[:100]
        batch.job = jobs.enqueue(kind="comparison", title=title, params={"batch": batch.pk}, by=by)
        batch.save(update_fields=["job"])
    return batch


def compare_job(job: jobs.Job) -> str:
    """Compares the list of a job's batch; the address of the result."""
    jobs.tell(job, "正在比对名单")
    return compare(batch=ImportBatch.objects.get(pk=job.params["batch"])).get_absolute_url()


def compare(*, batch: ImportBatch) -> ImportBatch:
    """Reads the list into the staging table and compares every row; safe to repeat.

    A file that cannot be read leaves the batch `refused`, with one sentence for the user.
    """
    return read_file(batch, _compare)


def _compare(batch: ImportBatch, book) -> ImportBatch:
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state != ImportState.UPLOADED:
        return batch
    found = read_roster(book, known_names(), timezone.localdate(), ListReader)
    copy_rows(batch, found.rows)
    judge(batch)
    batch.notes |= notes_of(found) | {"kind": book.kind}
    batch.state = ImportState.STAGED
    batch.save()
    return batch


@transaction.atomic
def ask_workbook(*, batch: ImportBatch, by: User) -> Export:
    """Has the result made as a workbook; who asks again while it is made gets the same one.

    Raises ComparisonRefusedError when there is no result, or it has been emptied.
    """
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if not has_result(batch):
        raise ComparisonRefusedError("这次比对没有结果可以导出，请重新上传名单。")
    params = {"batch": batch.pk}
    making = Export.objects.being_made().filter(kind=EXPORT, params=params, asked_by=by).first()
    return making or ask_export(
        kind=EXPORT,
        title=f"信息比对：{batch.file_name}"[:80],
        params=params,
        filter_words=in_words(batch),
        people=people_in(batch),
        by=by,
    )


def has_result(batch: ImportBatch) -> bool:
    """Compared, and not emptied yet."""
    return batch.state == ImportState.STAGED and batch.emptied_at is None


def people_in(batch: ImportBatch) -> int:
    """How many people, on either side, the result names."""
    return batch.rows + batch.missing


def in_words(batch: ImportBatch) -> str:
    """What was compared with whom."""
    return f"名单：{batch.file_name}；比对范围：{SCOPES[batch.scope]}"


def rows_of(batch: ImportBatch):
    """The rows of the result, in the order of the list."""
    return StagedRow.objects.filter(batch=batch).order_by("position")
