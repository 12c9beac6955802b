"""Imports a roster file: the same path as the page, in one go."""

import datetime
import json
import sys
from pathlib import Path

import pghistory
from django.core.files import File
from django.core.management.base import BaseCommand
from django.utils import timezone

from branches import roster
from branches.models import Scope
from branches.roster.report import COUNTS, report, write_rejected
from cadres.jobs import RefusedError


class Command(BaseCommand):
    help = "导入花名册。读到了就以 0 结束（有拒绝的行也算），整份读不了以 2 结束。"

    def add_arguments(self, parser):
        parser.add_argument("file", help="名册文件")
        parser.add_argument("--dry-run", action="store_true", help="只看结果，不写入")
        parser.add_argument("--scope", choices=Scope.values, default="", help="名册涵盖的范围")
        parser.add_argument("--on", type=datetime.date.fromisoformat, help="生效日期，默认今天")
        parser.add_argument("--report", type=Path, help="把结果写成 JSON")
        parser.add_argument("--rejected", type=Path, help="把被拒绝的行写成 Excel")

    def handle(self, *, file, dry_run, scope, on, report: Path, rejected: Path, **options):
        try:
            with pghistory.context(command="import_roster"):
                found = self._import(file, dry_run, scope, on, report, rejected)
        except (RefusedError, OSError) as error:
            is_file = isinstance(error, OSError)
            self.stderr.write(f"打不开文件：{error.filename or file}" if is_file else str(error))
            sys.exit(2)
        self._tell(found, dry_run)

    def _import(self, file, dry_run, scope, on, report_path, rejected_path):
        with open(file, "rb") as opened:
            batch = roster.accept_upload(
                file=File(opened, name=Path(file).name),
                by=None,
                scope=scope,
                effective_on=on or timezone.localdate(),
                in_background=False,
            )
        batch = roster.stage(batch=batch)
        found = report(batch)
        if report_path:
            report_path.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
        if rejected_path:
            write_rejected(batch, str(rejected_path))
        if dry_run:
            roster.discard(batch=batch, by=None)
        else:
            roster.write(batch=batch, by=None)
        return found

    def _tell(self, found: dict, dry_run: bool):
        labels = dict(zip(COUNTS, ["共", "新增", "更新", "不变", "拒绝", "未在表中"], strict=True))
        counts = "，".join(f"{labels[name]} {found[name]}" for name in COUNTS)
        self.stdout.write(("（试读，没有写入）" if dry_run else "已写入：") + counts)
        for problem in found["problems"][:20]:
            self.stdout.write(f"  {problem['sheet']} 第 {problem['row']} 行：{problem['message']}")
        if len(found["problems"]) > 20:
            self.stdout.write(f"  ……另有 {len(found['problems']) - 20} 条，见 --report")
