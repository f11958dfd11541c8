"""Who hung up while a team was rung for them has abandoned the call, also where an agent had talked with them before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CALLS = sa.table("calls", sa.column("id"), sa.column("ending"))
_WAITS = sa.table("waits", sa.column("call"), sa.column("event"), sa.column("at"), sa.column("why"))


def upgrade() -> None:
    """Put their records right: the last that is known of them is that they waited, until they hung up."""
    newest = _WAITS.alias()
    last = sa.select(sa.func.max(newest.c.at)).where(newest.c.call == _CALLS.c.id).scalar_subquery()
    waited = sa.or_(_WAITS.c.event == "entered", _WAITS.c.why == "the caller has hung up")
    in_vain = sa.exists().where(_WAITS.c.call == _CALLS.c.id, _WAITS.c.at == last, waited)
    op.execute(sa.update(_CALLS).where(_CALLS.c.ending == "served", in_vain).values(ending="abandoned"))


def downgrade() -> None:
    """Nothing: they have abandoned it."""
