"""Price books, promotions, shaping rules; and on every quote which rule made which price.

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = depends_on = None


def json() -> sa.JSON:
    return sa.JSON(none_as_null=True)


def moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "price_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_price_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_version")),
    )
    op.execute("INSERT INTO price_version (id, version) VALUES (1, 0)")
    create_books()
    create_promotions()
    create_shaping()
    op.add_column("quote", sa.Column("terms", json(), nullable=True))
    op.add_column("quote", sa.Column("promotions", json(), nullable=True))
    op.add_column("quote_line", sa.Column("pricing", json(), nullable=True))
    keep_final("shaping_effect")


def keep_final(table: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_is_final_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is final: write a new row instead'); END"
            )
        return
    op.execute(f"CREATE TRIGGER {table}_is_final BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION row_is_final()")
    op.execute(f"CREATE TRIGGER {table}_is_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION row_is_final()")


def create_books() -> None:
    op.create_table(
        "price_book",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", json(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("market", sa.String(length=2), nullable=False),
        sa.Column("customer_group", sa.String(length=40), nullable=False),
        sa.Column("tax", sa.String(length=32), nullable=False),
        sa.Column("tax_thousandths", sa.Integer(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name=op.f("ck_price_book_days_in_order")),
        sa.CheckConstraint("(tax = 'gross') = (tax_thousandths IS NOT NULL)", name=op.f("ck_price_book_rate_with_gross")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_book")),
        sa.UniqueConstraint("code", name=op.f("uq_price_book_code")),
    )
    op.create_table(
        "price_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("option_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("from_quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(sku <> '') <> (model_id <> '' AND group_id <> '' AND option_id <> '')", name=op.f("ck_price_entry_option_or_part")
        ),
        sa.CheckConstraint("from_quantity BETWEEN 1 AND 100000", name=op.f("ck_price_entry_quantity_in_range")),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name=op.f("ck_price_entry_days_in_order")),
        sa.ForeignKeyConstraint(["book_id"], ["price_book.id"], name=op.f("fk_price_entry_book_id_price_book")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_entry")),
        sa.UniqueConstraint("book_id", "model_id", "group_id", "option_id", "sku", "from_quantity", "first_day", name="uq_price_entry_place"),
    )


def create_promotions() -> None:
    op.create_table(
        "promotion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("name", json(), nullable=False),
        sa.Column("reach", sa.String(length=32), nullable=False),
        sa.Column("targets", json(), nullable=False),
        sa.Column("off_thousandths", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stackable", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("market", sa.String(length=2), nullable=False),
        sa.Column("customer_group", sa.String(length=40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("most_per_customer", sa.Integer(), nullable=True),
        sa.Column("budget_minor", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.CheckConstraint("(off_thousandths IS NULL) <> (amount_minor IS NULL)", name=op.f("ck_promotion_share_or_amount")),
        sa.CheckConstraint("off_thousandths BETWEEN 1 AND 100000", name=op.f("ck_promotion_share_in_range")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_promotion_amount_positive")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_promotion_days_in_order")),
        sa.CheckConstraint("most_uses > 0 AND most_per_customer > 0 AND budget_minor > 0", name=op.f("ck_promotion_limits_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sa.UniqueConstraint("code", name=op.f("uq_promotion_code")),
    )
    op.create_table(
        "promotion_use",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("promotion_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("used_at", moment(), nullable=False),
        sa.Column("given_back_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_use_promotion_id_promotion")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_use")),
        sa.UniqueConstraint("promotion_id", "order_number", name=op.f("uq_promotion_use_promotion_id_order_number")),
    )
    op.create_index(op.f("ix_promotion_use_order_number"), "promotion_use", ["order_number"], unique=False)


def create_shaping() -> None:
    op.create_table(
        "shaping_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", json(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("min_days", sa.Integer(), nullable=False),
        sa.Column("give", sa.String(length=32), nullable=False),
        sa.Column("off_thousandths", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("margin_thousandths", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.CheckConstraint("min_days BETWEEN 1 AND 365", name=op.f("ck_shaping_rule_days_in_range")),
        sa.CheckConstraint("margin_thousandths BETWEEN 0 AND 1000000", name=op.f("ck_shaping_rule_margin_in_range")),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name=op.f("ck_shaping_rule_days_in_order")),
        sa.CheckConstraint(
            "(give = 'free') = (off_thousandths IS NULL AND amount_minor IS NULL)", name=op.f("ck_shaping_rule_gives_one_thing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shaping_rule")),
        sa.UniqueConstraint("code", name=op.f("uq_shaping_rule_code")),
    )
    op.create_table(
        "shaping_effect",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("quote_number", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("instead", sa.String(), nullable=False),
        sa.Column("option_id", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("given_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["shaping_rule.id"], name=op.f("fk_shaping_effect_rule_id_shaping_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shaping_effect")),
    )
    op.create_index("ix_shaping_effect_rule", "shaping_effect", ["rule_id", "at"], unique=False)
    op.create_index(op.f("ix_shaping_effect_quote_number"), "shaping_effect", ["quote_number"], unique=False)


def downgrade() -> None:
    op.drop_column("quote_line", "pricing")
    op.drop_column("quote", "promotions")
    op.drop_column("quote", "terms")
    for table in ("shaping_effect", "shaping_rule", "promotion_use", "promotion", "price_entry", "price_book", "price_version"):
        op.drop_table(table)
