"""A small table: its rows matched by name, checked, shown from old to new, written as a whole."""

import hashlib
from dataclasses import dataclass, field

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, transaction
from import_export import resources
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import Result, RowResult

from cadres.cleaning import text_of
from cadres.jobs import RefusedError
from cadres.lookup import normal
from cadres.masking import mask_numbers
from cadres.tables.columns import Column, PartsColumn
from cadres.tables.files import Table, TableFormat, TableRefusedError

#: One small table is written at a time.
LOCK = "SELECT pg_advisory_xact_lock(20181881)"
RACE = "刚才有人改动了相关的内容，请再上传一次。"


class Known(BaseInstanceLoader):
    """All records of the table by their key, asked for once."""

    def __init__(self, resource, dataset=None):
        super().__init__(resource, dataset)
        key = resource.key
        found = resource.get_queryset()
        self.by_key = {normal(str(key.get_value(record))): record for record in found}
        for column in resource.fields.values():
            if isinstance(column, PartsColumn):
                for record in found:
                    column.get_value(record)

    def get_instance(self, row):
        return self.by_key.get(normal(text_of(row[self.resource.key.column_name])))


class TableResource(resources.Resource):
    """A small table of django-import-export. The first column is the key.

    Subclasses declare columns and `Meta.model`, and may add to `faults`.
    """

    #: Said of a row whose key nobody knows, where files add nothing.
    no_new = ""
    related: tuple = ()
    prefetched: tuple = ()

    class Meta:
        skip_unchanged = True
        skip_diff = False  # without the original nothing would ever be unchanged
        report_skipped = True
        skip_html_diff = True  # it comes with inline styles; the page shows changes of our own
        store_instance = True
        use_transactions = True
        instance_loader_class = Known

    def __init__(self, acting=None, may_add: bool = True):
        super().__init__()
        self.acting = acting
        self.may_add = may_add and not self.no_new
        self._errors: dict[str, str] = {}

    @property
    def key(self) -> Column:
        return next(iter(self.fields.values()))

    @classmethod
    def file_format(cls) -> TableFormat:
        headings = [column.column_name for column in cls.fields.values()]
        return TableFormat(headings, headings[0], str(cls._meta.model._meta.verbose_name))

    def get_queryset(self):
        found = self._meta.model.objects.all()
        return found.select_related(*self.related).prefetch_related(*self.prefetched)

    def get_import_id_fields(self):
        return [next(iter(self.fields))]

    def init_instance(self, row=None):
        return self._meta.model()

    def before_import(self, dataset: Table, **kwargs):
        self.numbers, self._first = dataset.numbers, {}
        for number, cell in zip(dataset.numbers, dataset[self.key.column_name], strict=True):
            self._first.setdefault(normal(text_of(cell)), number)

    def before_import_row(self, row, row_number=0, **kwargs):
        self._errors = {}
        key = self.key.column_name
        text = text_of(row[key])
        first = self._first[normal(text)]
        if not text:
            self._errors[self.key.attribute] = f"请填写{key}。"
        elif first != self.numbers[row_number - 1]:
            self._errors[self.key.attribute] = f"“{text[:20]}”与第 {first} 行重复，请删去一行。"

    def after_init_instance(self, instance, new, row, **kwargs):
        key, text = self.key, text_of(row[self.key.column_name])
        if new and not self.may_add and key.attribute not in self._errors:
            words = self.no_new or "您不能新增这一类记录。"
            self._errors[key.attribute] = f"没有“{text[:30]}”，{words}"

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if self._errors:
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        """All that is wrong with a row at once; no query for each row."""
        errors = dict(import_validation_errors or {})
        for attribute, words in [*self._errors.items(), *self._missing(instance, errors)]:
            errors.setdefault(attribute, ValidationError(words))
        if not errors:
            for attribute, words in self.faults(instance).items():
                errors[attribute] = ValidationError(words)
        if errors:
            raise ValidationError(errors)

    def _missing(self, instance, errors: dict):
        for column in self.fields.values():
            given = column.get_value(instance) not in (None, "", ())
            if column.is_required and not given and column.attribute not in errors:
                yield column.attribute, f"新增要填写{column.column_name}。"

    def faults(self, instance) -> dict[str, str]:
        """What else speaks against a changed or new record: attribute → sentence."""
        return {}

    def after_save_instance(self, instance, row, **kwargs):
        for column in self.fields.values():
            if isinstance(column, PartsColumn):
                column.write(instance, self.acting)

    def after_import_row(self, row, row_result, **kwargs):
        row_result.changes = [
            (column.column_name, old, new)
            for column in self.fields.values()
            if (new := column.export(row_result.instance))
            != (old := column.export(row_result.original) if row_result.original else "")
        ]


@dataclass(frozen=True)
class Line:
    """What becomes of one row: `kind` new, update, skip or wrong; changes and faults in words."""

    number: int
    kind: str
    key: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What becomes of a file, row by row."""

    lines: list[Line]
    unknown: list[str]

    def count(self, kind: str) -> int:
        return sum(line.kind == kind for line in self.lines)

    @property
    def counts(self) -> dict[str, int]:
        return {kind: self.count(kind) for kind in ("new", "update", "skip", "wrong")}

    @property
    def wrong_first(self) -> list[Line]:
        """Those that want something done, then what would change, then the rest."""
        order = ("wrong", "new", "update", "skip")
        return sorted(self.lines, key=lambda line: order.index(line.kind))

    @property
    def changes_something(self) -> bool:
        return self.count("skip") < len(self.lines)

    @property
    def can_be_written(self) -> bool:
        return self.changes_something and not self.count("wrong")

    @property
    def fingerprint(self) -> str:
        """Tells whether a second look at the file comes to the same."""
        told = repr([(line.number, line.kind, line.changes) for line in self.lines])
        return hashlib.sha256(told.encode()).hexdigest()


def look(*, resource: TableResource, table: Table) -> Outcome:
    """What a file would come to; nothing is kept."""
    return _outcome(resource, table, resource.import_data(table, dry_run=True))


@transaction.atomic
def load(*, resource: TableResource, table: Table, expected: str, by) -> Outcome:
    """Writes a file as a whole; one that is written already changes nothing.

    Raises TableRefusedError when it no longer comes to `expected`, the fingerprint of what was
    shown.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    result = resource.import_data(table, rollback_on_validation_errors=True)
    outcome = _outcome(resource, table, result)
    if outcome.count("wrong"):
        raise TableRefusedError("有的行不对，没有写入。请再上传一次看看。")
    if outcome.changes_something and outcome.fingerprint != expected:
        raise TableRefusedError("看过预览以后有人改动了相关的内容，没有写入。请再上传一次看看。")
    return outcome


def _outcome(resource: TableResource, table: Table, result: Result) -> Outcome:
    if result.base_errors:
        raise TableRefusedError("这份表没有读成，请核对表头，再上传一次。")
    keys = table[resource.key.column_name]
    lines = [
        _line(resource, number, mask_numbers(text_of(key))[:60], row)
        for number, key, row in zip(table.numbers, keys, result.rows, strict=True)
    ]
    return Outcome(lines, table.unknown)


def _line(resource: TableResource, number: int, key: str, row: RowResult) -> Line:
    if faults := _faults(resource, row):
        return Line(number, "wrong", key, faults=faults)
    changes = [] if row.is_skip() else row.changes
    return Line(number, row.import_type, key, changes)


def _faults(resource: TableResource, row: RowResult) -> list[tuple[str, str]]:
    """(heading, sentence) of everything that is wrong with a row."""
    if row.validation_error:
        headings = {c.attribute: c.column_name for c in resource.fields.values()}
        headings[NON_FIELD_ERRORS] = ""
        return [
            (headings.get(attribute, ""), mask_numbers(words))
            for attribute, sentences in row.validation_error.message_dict.items()
            for words in sentences
        ]
    errors = [error.error for error in row.errors]
    return [("", str(e) if isinstance(e, RefusedError) else RACE) for e in errors]
