"""The fences that stand in the database itself, printed as SQL from the tables of the code.

The first migration holds this text as a photograph; a test compares the two.

    machines      a trigger per state machine: first state on INSERT, known moves on UPDATE
    append-only   triggers that refuse UPDATE, DELETE and TRUNCATE, whoever asks
    grants        what the application's role may do; the owner's role migrates
"""

from collections.abc import Iterator

import sqlalchemy as sa

from core.machine import MACHINES

APP_ROLE = "lpg_app"

_APPEND_ONLY = """\
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: rows are only ever added', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
"""


def fences(metadata: sa.MetaData) -> str:
    return "\n".join([*machine_fences(metadata), *append_only_fences(metadata), *grants(metadata)])


def machine_fences(metadata: sa.MetaData) -> Iterator[str]:
    for table in sorted(MACHINES.keys() & metadata.tables.keys()):
        yield MACHINES[table].ddl()


def append_only_fences(metadata: sa.MetaData) -> Iterator[str]:
    yield _APPEND_ONLY
    for table in metadata.sorted_tables:
        if table.info["append_only"]:
            yield (
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table.name}\n"
                "  FOR EACH ROW EXECUTE FUNCTION append_only();\n"
                f"CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table.name}\n"
                "  FOR EACH STATEMENT EXECUTE FUNCTION append_only();\n"
            )


def grants(metadata: sa.MetaData) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA public TO {APP_ROLE};"
    for table in sorted(metadata.sorted_tables, key=lambda one: one.name):
        rights = "SELECT, INSERT"
        if not table.info["append_only"]:
            rights += ", UPDATE"
        if table.info["erasable"]:
            rights += ", DELETE"
        yield f"GRANT {rights} ON {table.name} TO {APP_ROLE};"
