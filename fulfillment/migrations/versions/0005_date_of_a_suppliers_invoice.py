"""Keep the date that is printed on a supplier's invoice: its time to be paid runs from there.

Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = depends_on = None


def upgrade() -> None:
    op.add_column("supplier_invoice", sa.Column("dated_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("supplier_invoice", "dated_on")
