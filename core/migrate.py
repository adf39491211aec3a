"""Bring a database to the present schema, as its owner. The application itself runs as ``lpg_app``."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def migrate(owner_url: str, revision: str = "head") -> None:
    command.upgrade(_alembic(owner_url), revision)


def is_current(owner_url: str) -> bool:
    """Whether the database stands at the newest migration of this checkout."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    engine = sa.create_engine(owner_url)
    with engine.connect() as connection:
        standing = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return standing == newest


def _alembic(owner_url: str) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = owner_url
    return config
