"""Prints who can log in to the demo county."""

from django.conf import settings
from django.core.management.base import BaseCommand

from fengjie_cadres import demo


class Command(BaseCommand):
    help = "列出示范县的用户名和密码。"

    def handle(self, **options):
        found = demo.logins() if settings.DEMO else []
        for role, name, username in found:
            self.stdout.write(f"  {role}：{username}（{name}）")
        if found:
            self.stdout.write(f"  密码都是：{demo.PASSWORD}")
