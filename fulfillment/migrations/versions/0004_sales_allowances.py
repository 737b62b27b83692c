"""Add the account of sales allowances to the chart.

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None

CHART = (("6001A", "Income", "Sales allowances", "主营业务收入—销售折让"),)


def upgrade() -> None:
    accounts = sa.table("ledger_account", *(sa.column(name) for name in ("code", "kind", "en", "zh")))
    for code, kind, en, zh in CHART:
        there = sa.exists().where(accounts.c.code == code)
        row = sa.select(*(sa.literal(value) for value in (code, kind, en, zh))).where(~there)
        op.execute(sa.insert(accounts).from_select(["code", "kind", "en", "zh"], row))


def downgrade() -> None:
    """Leave it in the chart: entries may stand on it, and the triggers of 0002 let no account go."""
