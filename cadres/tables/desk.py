"""The desk's pages of a small table: 导出 Excel, and 导入 Excel with a preview before writing."""

import contextlib
import datetime
import secrets

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from import_export.admin import ExportMixin, ImportMixin

from cadres.disclosure import note_table
from cadres.jobs import RefusedError
from cadres.spreadsheets import MAX_BYTES, REFUSALS
from cadres.tables.files import FULL_DISK, Table, TableRefusedError
from cadres.tables.resource import Outcome, TableResource, load, look

FOLDER = "tables"
#: A previewed file waits so long for its confirmation.
KEPT = datetime.timedelta(hours=2)
_GONE = "这次导入已经办过，或预览放得太久，没有再写入。要导入请重新上传。"
_WRITTEN = "这份表的内容已经写入，没有要改的了。"


class TableUploadForm(forms.Form):
    file = forms.FileField(
        label="文件",
        help_text="Excel（.xlsx、.xls）或 CSV，不超过 5 MB、500 行。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={
            "required": "请选择要导入的文件。",
            "missing": "请选择要导入的文件。",
            "invalid": "请选择要导入的文件。",
            "empty": "这个文件是空的，请重新选择。",
        },
    )

    def clean_file(self):
        if self.cleaned_data["file"].size > MAX_BYTES:
            raise forms.ValidationError(REFUSALS["too_big"])
        return self.cleaned_data["file"]


class TableExportAdmin(ExportMixin):
    """A list with 导出 Excel: what is filtered is what is written. Stands before OfficeAdmin."""

    import_export_change_list_template = None
    resource_class: type[TableResource]

    def has_export_permission(self, request):
        return self.has_view_permission(request)

    def changelist_view(self, request, extra_context=None):
        tools = {"has_export_permission": self.has_export_permission(request)}
        return super().changelist_view(request, {**tools, **(extra_context or {})})

    def export_action(self, request):
        if not self.has_export_permission(request):
            raise PermissionDenied
        return require_GET(self._export)(request)

    def _export(self, request):
        resource = self.resource_class()
        try:
            records = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._address("changelist"))
        records = records.select_related(*resource.related)
        table = resource.export(records.prefetch_related(*resource.prefetched))
        is_about_people = self.opts.label_lower == "cadres.user"
        note_table(
            what=f"办公桌：{self.opts.verbose_name_plural}（{len(table)} 行）",
            people=len(table) if is_about_people else 0,
            by=request.user,
        )
        file_format = resource.file_format()
        content = file_format.export_data(table)
        response = HttpResponse(content, content_type=file_format.get_content_type())
        name = f"{self.opts.verbose_name}-{timezone.localdate():%Y%m%d}.xlsx"
        response["Content-Disposition"] = content_disposition_header(True, name)
        return response

    def _address(self, page: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}")


class TableAdmin(ImportMixin, TableExportAdmin):
    """A list with 导入 Excel too: upload, preview, confirm; a file is taken whole or not at all."""

    import_export_change_list_template = None

    def has_import_permission(self, request):
        return self.has_change_permission(request)

    def changelist_view(self, request, extra_context=None):
        tools = {"has_import_permission": self.has_import_permission(request)}
        return super().changelist_view(request, {**tools, **(extra_context or {})})

    def _resource(self, request) -> TableResource:
        may_add = self.has_add_permission(request)
        return self.resource_class(acting=request.user, may_add=may_add)

    def import_action(self, request, **kwargs):
        if not self.has_import_permission(request):
            raise PermissionDenied
        return require_http_methods(["GET", "HEAD", "POST"])(self._upload)(request)

    def _upload(self, request):
        """The upload form; after an upload its preview."""
        is_sent = request.method == "POST"
        form = TableUploadForm(*((request.POST, request.FILES) if is_sent else ()))
        outcome, token = None, ""
        if form.is_valid():
            try:
                data = form.cleaned_data["file"].read()
                resource = self._resource(request)
                table = resource.file_format().create_dataset(data)
                outcome = look(resource=resource, table=table)
                if outcome.can_be_written:
                    token = self._sealed(request, keep(data), outcome)
            except RefusedError as refusal:
                form.add_error("file", str(refusal))
        return self._page(request, form, outcome, token)

    def _page(self, request, form, outcome: Outcome | None = None, token: str = ""):
        resource = self._resource(request)
        context = self.admin_site.each_context(request) | {
            "title": f"导入{self.opts.verbose_name}",
            "opts": self.opts,
            "form": form,
            "columns": list(resource.fields.values()),
            "may_add": resource.may_add,
            "outcome": outcome,
            "token": token,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/table_import.html", context)

    def _sealed(self, request, name: str, outcome: Outcome) -> str:
        """What the confirmation brings back: for this user, this table, and what was shown."""
        told = {"name": name, "seen": outcome.fingerprint, "user": request.user.pk}
        return signing.dumps(told, salt=self._salt())

    def _salt(self) -> str:
        return f"table-import-{self.opts.label_lower}"

    def process_import(self, request, **kwargs):
        if not self.has_import_permission(request):
            raise PermissionDenied
        return require_POST(self._confirm)(request)

    def _confirm(self, request):
        try:
            told = signing.loads(request.POST.get("token", ""), salt=self._salt(), max_age=KEPT)
            if told["user"] != request.user.pk:
                raise signing.BadSignature
            outcome = self._load(request, told)
        except (signing.BadSignature, RefusedError) as refusal:
            words = str(refusal) if isinstance(refusal, RefusedError) else _GONE
            messages.error(request, words)
            return HttpResponseRedirect(self._address("import"))
        forget(told["name"])
        counts = outcome.counts
        words = f"已写入：新增 {counts['new']}，更新 {counts['update']}，不变 {counts['skip']}。"
        messages.success(request, words if outcome.changes_something else _WRITTEN)
        return HttpResponseRedirect(self._address("changelist"))

    def _load(self, request, told: dict) -> Outcome:
        resource = self._resource(request)
        table: Table = resource.file_format().create_dataset(kept(told["name"]))
        return load(resource=resource, table=table, expected=told["seen"], by=request.user)


def keep(data: bytes) -> str:
    """Puts an uploaded file away until it is confirmed; its name."""
    empty_old_tables()
    try:
        return default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}", ContentFile(data))
    except OSError:
        raise TableRefusedError(FULL_DISK) from None


def kept(name: str) -> bytes:
    try:
        with default_storage.open(name) as file:
            return file.read()
    except FileNotFoundError:
        raise TableRefusedError(_GONE) from None


def forget(name: str) -> None:
    with contextlib.suppress(OSError):
        default_storage.delete(name)


def empty_old_tables() -> None:
    """Throws away previewed files that nobody confirmed."""
    with contextlib.suppress(FileNotFoundError):
        for name in default_storage.listdir(FOLDER)[1]:
            path = f"{FOLDER}/{name}"
            with contextlib.suppress(FileNotFoundError):
                if default_storage.get_modified_time(path) < timezone.now() - KEPT:
                    forget(path)
