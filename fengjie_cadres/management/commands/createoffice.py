"""The office's first two accounts, or a new one-time password for one that is locked out."""

import sys

import pghistory
from django.core.management.base import BaseCommand

from cadres import accounts
from cadres.jobs import RefusedError

_ASKED = {
    "head_username": "负责人的用户名",
    "head_name": "负责人的姓名",
    "staff_username": "工作人员的用户名",
    "staff_name": "工作人员的姓名",
}


class Command(BaseCommand):
    help = (
        "在空系统里建立第一位负责人和第一位工作人员，显示各自的一次性密码（只显示这一次）。"
        "--reset 用户名：给登录不了的负责人或工作人员重设一次性密码。"
        "结束码：0 办好了；1 按规则不能办；2 没有填完。"
    )

    def add_arguments(self, parser):
        for option, words in _ASKED.items():
            parser.add_argument("--" + option.replace("_", "-"), help=words)
        parser.add_argument("--reset", metavar="用户名", help="重设谁的一次性密码")

    def handle(self, *, reset, **options):
        try:
            with pghistory.context(command="createoffice"):
                if reset is None:
                    made = self._create(options)
                else:
                    made = [accounts.reset_office_user(username=reset, by=None)]
        except RefusedError as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        except (EOFError, KeyboardInterrupt):
            self.stderr.write("没有填完，什么也没有改。")
            sys.exit(2)
        self._tell(made)

    def _create(self, options: dict):
        accounts.check_empty()
        filled = {name: options[name] or self._ask(words) for name, words in _ASKED.items()}
        return accounts.create_office(
            head=(filled["head_username"], filled["head_name"]),
            staff=(filled["staff_username"], filled["staff_name"]),
            by=None,
        )

    def _ask(self, words: str) -> str:
        self.stderr.write(f"{words}：", ending="")
        self.stderr.flush()
        return input()

    def _tell(self, made):
        for user, password in made:
            self.stdout.write(f"{user.name}  用户名 {user.username}  一次性密码 {password}")
        self.stdout.write("密码只显示这一次，请当面交给本人；第一次登录要换成自己的密码。")
