"""Operations for migrations: the run-time role, and tables that may only grow.

Plain SQL, because pgtrigger cannot guard TRUNCATE and can be switched off by ordinary code.
"""

from django.db import migrations

APP_ROLE = "cadres_app"

_CREATE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {APP_ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
EXCEPTION WHEN OTHERS THEN
    -- two databases of one server migrate at once (tests): one grant serves both
    IF SQLERRM NOT LIKE '%tuple concurrently updated%' AND SQLSTATE <> '23505' THEN RAISE; END IF;
END $$;
GRANT USAGE ON SCHEMA public TO {APP_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP_ROLE};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {APP_ROLE};

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% may only grow: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def create_app_role() -> migrations.RunSQL:
    """The role that web and worker run in, its rights on present and later tables."""
    return migrations.RunSQL(_CREATE_ROLE, migrations.RunSQL.noop)


def append_only(table: str) -> migrations.RunSQL:
    """From here on the table refuses UPDATE, DELETE and TRUNCATE, row by row and as a whole."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER guard_rows BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER guard_table BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP_ROLE};
        """,
        f"""
        DROP TRIGGER guard_rows ON {table};
        DROP TRIGGER guard_table ON {table};
        GRANT UPDATE, DELETE ON {table} TO {APP_ROLE};
        """,
    )


def no_overlap(table: str, name: str, columns: str, where: str = "TRUE") -> migrations.RunSQL:
    """No two rows with the same integer columns whose periods [since, until) share a day.

    int8range(x, x, '[]') stands in for `x WITH =`, which would need the btree_gist extension.
    """
    keys = ", ".join(f"int8range({c}, {c}, '[]') WITH &&" for c in columns.split())
    return migrations.RunSQL(
        f"""ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist
            ({keys}, daterange(since, until) WITH &&) WHERE ({where})""",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
