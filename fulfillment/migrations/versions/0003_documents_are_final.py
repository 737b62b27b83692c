"""Make what customers and accountants can hold us to final in the database itself.

Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = depends_on = None

TABLES = (
    "model_release", "quote", "quote_line", "order_line", "order_event", "invoice", "stock_move", "outbox_event", "floor_event", "staff_act",
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_is_final_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is final: write a new row instead'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION row_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is final: write a new row instead', TG_TABLE_NAME; END $$"
    )
    for table in TABLES:
        op.execute(f"CREATE TRIGGER {table}_is_final BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION row_is_final()")
        op.execute(f"CREATE TRIGGER {table}_is_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION row_is_final()")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in TABLES:
            for verb in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_is_final_{verb}")
        return
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_is_final ON {table}")
        op.execute(f"DROP TRIGGER {table}_is_whole ON {table}")
    op.execute("DROP FUNCTION row_is_final()")
