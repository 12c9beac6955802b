#!/usr/bin/env python
"""Django's command line. Commands that change the schema run as the database owner,
all others in the role `cadres_app` (see docs/decisions/0006-database-roles.md)."""

import os
import sys

OWNER_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "showmigrations", "flush", "dbshell"}


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengjie_cadres.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["DATABASE_ROLE"] = ""
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
