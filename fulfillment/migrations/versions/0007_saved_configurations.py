"""Keep configurations: shared by a link, and named in accounts.

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "shared_configuration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("own", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("choices", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["model_release.id"], name=op.f("fk_shared_configuration_release_id_model_release")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_configuration")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_shared_configuration_fingerprint")),
        sa.UniqueConstraint("token", name=op.f("uq_shared_configuration_token")),
    )
    op.create_table(
        "saved_configuration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shared_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_configuration_account_id_account")),
        sa.ForeignKeyConstraint(["shared_id"], ["shared_configuration.id"], name=op.f("fk_saved_configuration_shared_id_shared_configuration")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_configuration")),
        sa.UniqueConstraint("account_id", "shared_id", name=op.f("uq_saved_configuration_account_id_shared_id")),
    )
    for verb in ("UPDATE", "DELETE"):
        keep_final("shared_configuration", verb)


def keep_final(table: str, verb: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_is_final_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is final: write a new row instead'); END"
        )
    else:
        op.execute(f"CREATE TRIGGER {table}_is_final_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION row_is_final()")


def downgrade() -> None:
    op.drop_table("saved_configuration")
    op.drop_table("shared_configuration")
