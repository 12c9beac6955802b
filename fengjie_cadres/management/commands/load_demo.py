"""Builds the demo county; does nothing when it is there, refuses where real people are."""

import pghistory
from django.core.management.base import BaseCommand, CommandError

from cadres.jobs import RefusedError
from fengjie_cadres import demo


class Command(BaseCommand):
    help = "建立示范县（只在示范模式，且没有真实人员时）。"

    def handle(self, **options):
        try:
            with pghistory.context(command="load_demo"):
                self.stdout.write(demo.load())
        except RefusedError as refusal:
            raise CommandError(str(refusal)) from None
