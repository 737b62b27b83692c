"""What customers and accountants can hold us to cannot be changed, not even by a shell on the database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fulfillment.kernel import db as database
from fulfillment.kernel.db import transaction
from tests.builders.orders import make_order

TABLES = ("order_line", "order_event", "outbox_event")


@pytest.fixture
def order(db: None) -> str:
    with transaction() as session:
        return make_order(session).number


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
def test_a_final_row_refuses(order: str, table: str, act: str) -> None:
    with pytest.raises(DBAPIError, match="is final"), database.engine().begin() as connection:
        connection.execute(sa.text(act.format(table=table)))
    with database.engine().connect() as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() > 0


def test_every_final_table_has_its_triggers(db: None) -> None:
    final = {
        "model_release", "quote", "quote_line", "order_line", "order_event", "invoice", "stock_move", "outbox_event", "floor_event",
        "staff_act", "shaping_effect",
    }
    with database.engine().connect() as connection:
        if database.is_sqlite():
            found = connection.execute(sa.text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%is_final%'"))
        else:
            relations = "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE tgname LIKE '%_is_final'"
            found = connection.execute(sa.text(relations))
        assert final <= {row[0] for row in found}
