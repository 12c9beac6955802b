"""File → clean rows → staging table, by COPY, in one transaction; then the judgement."""

import contextlib
import datetime
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from branches.models import ImportBatch, ImportState, StagedRow
from branches.roster.judge import judge
from branches.roster.names import names_for
from cadres import jobs
from cadres.masking import digest, mask_numbers
from cadres.models import User
from cadres.names import name_tokens, pinyin_of
from cadres.rosters import Roster, RosterRow, read_roster
from cadres.spreadsheets import MAX_BYTES, Workbook, WorkbookRefusedError, read_workbook

VALUES = [
    "name", "sex", "ethnic_group", "id_number", "birth_date", "work_started",
    "political_status", "party_joined", "retired_on", "retirement_kind", "unit_id",
    "former_post", "rank", "treatment", "phone", "second_phone", "township_id", "community_id",
    "address", "branch_id", "activity_class", "health", "skills", "remark",
]  # fmt: skip
COLUMNS = [
    "batch_id", "position", "sheet", "row", "verdict", "problems", "findings", "changes", "cells",
    *VALUES,
    "name_pinyin", "search_words", "id_number_digest", "phone_digest", "second_phone_digest",
    "address_digest",
]  # fmt: skip
#: States in which a batch may still be read (again).
OPEN = (ImportState.UPLOADED, ImportState.STAGED)


@transaction.atomic
def accept_upload(
    *, file, by, effective_on: datetime.date | None = None, scope: str = "", in_background=True
) -> ImportBatch:
    """Keeps an uploaded file and has it read. Raises RefusedError when that cannot be.

    `file`: a Django File. `effective_on`: the day from which changes count, default today.
    `scope`: what the file claims to cover, empty to have it proposed. Sent twice, the first one
    is found.
    """
    if file.size > MAX_BYTES:
        raise WorkbookRefusedError("too_big")
    if effective_on and effective_on > timezone.localdate():
        raise jobs.RefusedError("生效日期不能晚于今天。")
    batch = ImportBatch(
        file_name=plain_name(file.name),
        checksum=hashlib.sha256(file.read()).hexdigest(),
        scope=scope,
        effective_on=effective_on or timezone.localdate(),
        uploaded_by=by,
    )
    if sent := sent_just_now(batch):
        return sent
    keep_file(batch, file)
    if in_background:
        title = f"读取名册“{batch.file_name}”"[:100]
        batch.job = jobs.enqueue(
            kind="roster-stage", title=title, params={"batch": batch.pk}, by=by
        )
        batch.save(update_fields=["job"])
    return batch


def sent_just_now(batch: ImportBatch) -> ImportBatch | None:
    """The batch of the very same press of a button; one that is done with since does not count.

    A scope left open may have been proposed by now.
    """
    if batch.uploaded_by is None:
        return None
    User.objects.select_for_update().get(pk=batch.uploaded_by_id)
    sent = ImportBatch.objects.filter(
        purpose=batch.purpose,
        uploaded_by=batch.uploaded_by,
        checksum=batch.checksum,
        file_name=batch.file_name,
        effective_on=batch.effective_on,
        uploaded_at__gte=timezone.now() - jobs.SAME_PRESS,
    ).exclude(state__in=[ImportState.DISCARDED, ImportState.WRITTEN, ImportState.UNDONE])
    return (sent.filter(scope=batch.scope) if batch.scope else sent).first()


def plain_name(name: str) -> str:
    """A file's name as it may be shown."""
    return mask_numbers(_kept(Path(name).name))[-200:]


def keep_file(batch: ImportBatch, file) -> None:
    """Puts the file away; what a full disk has kept of it goes."""
    file.seek(0)
    name = "roster" + Path(_kept(file.name)).suffix[:8].lower()
    stored = batch.upload.field.generate_filename(batch, name)
    stored = batch.upload.storage.get_available_name(stored)
    try:
        batch.upload.name = batch.upload.storage.save(stored, file)
    except OSError:
        with contextlib.suppress(OSError):
            batch.upload.storage.delete(stored)
        raise jobs.RefusedError("服务器没能存下这个文件，请告诉管理员查看磁盘。") from None
    batch.save()


def stage_job(job: jobs.Job) -> str:
    """Reads the file of a job's batch; the address of the preview."""
    jobs.tell(job, "正在读取名册")
    return stage(batch=ImportBatch.objects.get(pk=job.params["batch"])).get_absolute_url()


def stage(*, batch: ImportBatch) -> ImportBatch:
    """Reads the batch's file into the staging table and judges every row; safe to repeat.

    A file that cannot be read leaves the batch `refused`, with one sentence for the user; one
    that could be read before keeps its preview.
    """
    return read_file(batch, _stage)


def read_file(batch: ImportBatch, take: Callable[[ImportBatch, Workbook], ImportBatch]):
    """Hands the batch's file to `take(batch, book)`, in one transaction; what it returns."""
    try:
        book = read_workbook(batch.upload.path)
        with transaction.atomic():
            return take(batch, book)
    except WorkbookRefusedError as refusal:
        unread = ImportBatch.objects.filter(state=ImportState.UPLOADED)
        unread.filter(pk=batch.pk).update(
            state=ImportState.REFUSED, refusal=str(refusal), closed_at=timezone.now()
        )
        batch.refresh_from_db()
        raise


def _stage(batch: ImportBatch, book: Workbook) -> ImportBatch:
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state not in OPEN:
        return batch
    roster = read_roster(book, names_for(batch), timezone.localdate())
    StagedRow.objects.filter(batch=batch).delete()
    copy_rows(batch, roster.rows)
    judge(batch)
    batch.notes = notes_of(roster) | {"kind": book.kind, "mapped": batch.notes.get("mapped", [])}
    batch.state = ImportState.STAGED
    batch.save()
    return batch


def notes_of(roster: Roster) -> dict:
    return {
        "layout": roster.layout,
        "unknown_columns": roster.unknown_columns,
        "passed_over": roster.passed_over[:200],
    }


def copy_rows(batch: ImportBatch, rows: Iterable[RosterRow]) -> None:
    lines = io.BytesIO()
    for position, row in enumerate(rows, 1):
        line = "\t".join(map(_escaped, _line(batch, position, row))) + "\n"
        lines.write(_kept(line).encode())
    lines.seek(0)
    statement = f"COPY branches_stagedrow ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, lines)


def _line(batch: ImportBatch, position: int, row: RosterRow) -> list:
    values = row.clean.values
    name = values["name"] or ""
    return [
        batch.pk,
        position,
        row.sheet,
        row.row,
        "rejected" if row.clean.is_rejected else "",
        json.dumps([vars(p) for p in row.clean.problems], ensure_ascii=False),
        "[]",
        "{}",
        json.dumps(row.cells, ensure_ascii=False),
        *(values.get(column) for column in VALUES),
        pinyin_of(name),
        " ".join(name_tokens(name)),
        *(digest(values[c]) for c in ("id_number", "phone", "second_phone")),
        digest(values.get("address")),
    ]


_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def _escaped(value) -> str:
    """A value as COPY's text format wants it."""
    if value is None:
        return "\\N"
    if isinstance(value, int):
        return str(value)
    for special, written in _ESCAPES:
        value = value.replace(special, written)
    return value


def _kept(text: str) -> str:
    """Text without what UTF-8 and PostgreSQL cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()
