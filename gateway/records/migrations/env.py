"""Alembic's entry: it runs on the connection that `gateway.records.migrate` hands it."""

from __future__ import annotations

from alembic import context

from gateway.records.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    compare_type=True,
    # SQLite can't alter a column: Alembic copies the table instead.
    render_as_batch=True,
    # The caller's transaction holds all revisions: a failed one leaves the database as it was.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
