from django.core.management.base import BaseCommand

from points.audit import audit


class Command(BaseCommand):
    help = "核对全部积分账目；有不符就列出是哪些账户，并以 1 结束。"

    def handle(self, *args, **options):
        run = audit()
        self.stdout.write(f"共 {run.transfers} 笔流水，用时 {run.seconds} 秒。")
        for finding in run.findings:
            self.stderr.write(finding["words"] + "：")
            for example in finding["examples"]:
                self.stderr.write(f"  {example['where']}　{example['what']}")
        if run.findings:
            raise SystemExit(1)
        self.stdout.write("账目相符。")
