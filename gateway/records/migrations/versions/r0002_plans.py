"""Versions of the dial plan with their files, and what operators override for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "plan_files",
        sa.Column("hash", sa.String, nullable=False, comment="SHA-256 of the content"),
        sa.Column("data", sa.LargeBinary, nullable=False, comment="the content, by zlib"),
        sa.PrimaryKeyConstraint("hash", name="pk_plan_files"),
    )
    op.create_table(
        "plan_versions",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("content", sa.String, nullable=False, comment="hash of all files: what calls.plan names"),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("made", _TIME, nullable=False),
        sa.Column("effective", _TIME, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("source", sa.String, nullable=False, comment="apply, save, rollback"),
        sa.Column("of", sa.Integer, nullable=False, comment="the version that a rollback restored, else 0"),
        sa.Column("withdrawn", _TIME, comment="when a scheduled version was taken back"),
        sa.PrimaryKeyConstraint("number", name="pk_plan_versions"),
    )
    for column in ("content", "effective"):
        op.create_index(f"ix_plan_versions_{column}", "plan_versions", [column])
    op.create_table(
        "plan_version_files",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["version"], ["plan_versions.number"], name="fk_plan_version_files_version"),
        sa.ForeignKeyConstraint(["hash"], ["plan_files.hash"], name="fk_plan_version_files_hash"),
        sa.PrimaryKeyConstraint("version", "name", name="pk_plan_version_files"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False, comment="close, open, away, notice"),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("say", sa.Text, nullable=False),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("made", _TIME, nullable=False),
        sa.Column("ended", _TIME, comment="before its time"),
        sa.Column("ended_by", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_until", "overrides", ["until"])


def downgrade() -> None:
    """Drop them."""
    for table in ("overrides", "plan_version_files", "plan_versions", "plan_files"):
        op.drop_table(table)
