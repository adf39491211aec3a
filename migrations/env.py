"""Alembic's entry: one connection as the owner, one transaction for each migration."""

import sqlalchemy as sa
from alembic import context

url = context.config.attributes["url"]

with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
