"""Loads divisions, units, areas, branches, rules and roles; safe to repeat."""

import pghistory
from django.core.management.base import BaseCommand

from fengjie_cadres import reference


class Command(BaseCommand):
    help = "载入行政区划、单位、片区、支部、积分规则和角色；可重复运行，不改动已有内容。"

    def handle(self, **options):
        with pghistory.context(command="load_reference"):
            counts = reference.load()
        self.stdout.write("，".join(f"{name} {count}" for name, count in counts.items()))
