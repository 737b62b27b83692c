"""Make the books final in the database itself: balanced, without a gap, closed where closed, never changed.

On PostgreSQL a deferred constraint trigger looks at every new entry when its transaction commits.
SQLite has nothing that runs at commit, so there an entry starts unsealed and the trigger looks when
it is sealed; a deferred foreign key keeps an unsealed one from being committed.

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = depends_on = None

GENESIS = "0" * 64

CHART = (
    ("1001", "Assets", "Cash on hand", "库存现金"),
    ("1002", "Assets", "Bank", "银行存款"),
    ("1012PSP", "Assets", "Card payments in clearing", "其他货币资金—支付平台"),
    ("1122", "Assets", "Accounts receivable", "应收账款"),
    ("1221DSP", "Assets", "Disputed card payments", "其他应收款—争议款"),
    ("1402DS", "Assets", "Drop-ship goods", "在途物资—直运商品"),
    ("1403", "Assets", "Parts", "原材料"),
    ("1404", "Assets", "Purchase price variance", "材料成本差异"),
    ("1405", "Assets", "Finished goods", "库存商品"),
    ("1406C", "Assets", "Goods on consignment", "发出商品—委托代销"),
    ("1406S", "Assets", "Goods shipped, not invoiced", "发出商品"),
    ("5001", "Assets", "Work in progress", "生产成本"),
    ("2202", "Liabilities", "Accounts payable", "应付账款"),
    ("2202G", "Liabilities", "Goods received, not invoiced", "应付账款—暂估"),
    ("2204", "Liabilities", "Customer deposits", "合同负债"),
    ("2211", "Liabilities", "Wages payable", "应付职工薪酬"),
    ("2221I", "Liabilities", "Input tax", "应交税费—进项税额"),
    ("2221O", "Liabilities", "Sales tax collected", "应交税费—销项税额"),
    ("2241K", "Liabilities", "Commission due", "其他应付款—佣金"),
    ("2241R", "Liabilities", "Refunds due", "其他应付款—应退款"),
    ("4001", "Equity", "Paid-in capital", "实收资本"),
    ("4103", "Equity", "Profit for the year", "本年利润"),
    ("6001", "Income", "Revenue", "主营业务收入"),
    ("6401", "Expenses", "Cost of goods sold", "主营业务成本"),
    ("6601K", "Expenses", "Sales commission", "销售费用—佣金"),
    ("6602S", "Expenses", "Scrap and rework", "管理费用—报废损失"),
    ("6602V", "Expenses", "Inventory differences", "管理费用—存货盘亏"),
    ("6603F", "Expenses", "Card fees", "财务费用—手续费"),
    ("6603X", "Expenses", "Exchange differences", "财务费用—汇兑损益"),
    ("6711", "Expenses", "Chargeback losses", "营业外支出—拒付损失"),
)

FINAL = "the ledger is append-only"

LINES_MISSING = "(SELECT count(*) FROM ledger_line WHERE entry_seq = {seq}) <> {entry}.line_count"
NOT_BALANCED = "EXISTS (SELECT 1 FROM ledger_line WHERE entry_seq = {seq} GROUP BY currency HAVING sum(amount_minor) <> 0)"
NOT_NEGATED = (
    "{entry}.reverses IS NOT NULL AND ("
    "(SELECT line_count FROM ledger_entry WHERE seq = {entry}.reverses) <> {entry}.line_count OR EXISTS ("
    "SELECT 1 FROM ledger_line a LEFT JOIN ledger_line b ON b.entry_seq = {entry}.reverses AND b.position = a.position "
    "AND b.account = a.account AND b.side = a.side AND b.currency = a.currency AND b.amount_minor = -a.amount_minor "
    "WHERE a.entry_seq = {seq} AND b.entry_seq IS NULL))"
)
HEAD_BEHIND = "(SELECT seq FROM ledger_head) < {seq}"
GAP = "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger_entry)"
CLOSED = "NEW.effective <= (SELECT max(until) FROM ledger_close)"
HEAD_WRONG = (
    "NEW.id <> OLD.id OR NEW.seq <= OLD.seq OR NEW.seq <> (SELECT max(seq) FROM ledger_entry) "
    "OR NEW.hash <> (SELECT hash FROM ledger_entry WHERE seq = NEW.seq)"
)
CLOSE_WRONG = (
    "NEW.until <= (SELECT max(until) FROM ledger_close) "
    "OR NOT EXISTS (SELECT 1 FROM ledger_head WHERE seq = NEW.seq AND hash = NEW.hash)"
)

MISTAKES = (
    (LINES_MISSING, "an entry has all its lines and no more"),
    (NOT_BALANCED, "an entry sums to zero in every currency"),
    (NOT_NEGATED, "a reversal is the exact negation"),
    (HEAD_BEHIND, "the head moves with every entry"),
)

FROZEN = (
    "seq", "kind", "source", "document", "memo", "effective", "posted_at", "reverses", "line_count", "content", "version", "hash",
)


def upgrade() -> None:
    # Names may differ from an older run of this migration; codes never do.
    accounts = sa.table("ledger_account", *(sa.column(name) for name in ("code", "kind", "en", "zh")))
    for code, kind, en, zh in CHART:
        there = sa.exists().where(accounts.c.code == code)
        row = sa.select(*(sa.literal(value) for value in (code, kind, en, zh))).where(~there)
        op.execute(sa.insert(accounts).from_select(["code", "kind", "en", "zh"], row))
    op.execute(f"INSERT INTO ledger_head (id, seq, hash) SELECT 1, 0, '{GENESIS}' WHERE NOT EXISTS (SELECT 1 FROM ledger_head)")
    if op.get_context().dialect.name == "sqlite":
        upgrade_sqlite()
    else:
        upgrade_postgresql()


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for name in SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    else:
        for name, table in POSTGRESQL:
            op.execute(f"DROP TRIGGER {name} ON {table}")
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}()")


# SQLite


def refuse(condition: str, message: str, *, seq: str = "NEW.seq", entry: str = "NEW") -> str:
    return f"SELECT RAISE(ABORT, '{message}') WHERE {condition.format(seq=seq, entry=entry)};"


CHANGED = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in FROZEN)

# Name -> (when it fires, what it does). INSERT OR REPLACE deletes without firing a DELETE trigger, hence the checks for
# a row that is there already; a stranger's shell has foreign keys switched off, hence what they would see to anyhow.
SQLITE = {
    "ledger_entry_begins": ("INSERT ON ledger_entry", [
        refuse(GAP, "entries are numbered without a gap"),
        refuse("NEW.unsealed IS NOT 0", "an entry begins unsealed"),
        refuse("NEW.effective IS NOT date(NEW.effective)", "an entry has a date"),
        refuse(CLOSED, "the period is closed"),
        refuse("EXISTS (SELECT 1 FROM ledger_entry WHERE kind = NEW.kind AND source = NEW.source)", FINAL),
        refuse("EXISTS (SELECT 1 FROM ledger_entry WHERE reverses = NEW.reverses)", "an entry is reversed once"),
    ]),
    "ledger_entry_is_sealed_once": ("UPDATE ON ledger_entry", [
        refuse(f"OLD.unsealed IS NULL OR NEW.unsealed IS NOT NULL OR {CHANGED}", FINAL),
        *(refuse(condition, message) for condition, message in MISTAKES),
    ]),
    "ledger_entry_stays": ("DELETE ON ledger_entry", [refuse("1", FINAL)]),
    "ledger_line_joins_unsealed": ("INSERT ON ledger_line", [
        refuse("NOT EXISTS (SELECT 1 FROM ledger_entry WHERE seq = NEW.entry_seq AND unsealed = 0)", FINAL),
        refuse("NOT EXISTS (SELECT 1 FROM ledger_account WHERE code = NEW.account)", "there is no such account"),
        refuse("typeof(NEW.amount_minor) <> 'integer'", "money is counted in whole minor units"),
    ]),
    "ledger_line_is_final": ("UPDATE ON ledger_line", [refuse("1", FINAL)]),
    "ledger_line_stays": ("DELETE ON ledger_line", [refuse("1", FINAL)]),
    "ledger_head_is_alone": ("INSERT ON ledger_head", [refuse("1", FINAL)]),
    "ledger_head_moves_on": ("UPDATE ON ledger_head", [refuse(HEAD_WRONG, "the head is the last entry")]),
    "ledger_head_stays": ("DELETE ON ledger_head", [refuse("1", FINAL)]),
    "ledger_account_is_new": ("INSERT ON ledger_account", [refuse("EXISTS (SELECT 1 FROM ledger_account WHERE code = NEW.code)", FINAL)]),
    "ledger_account_keeps_code": ("UPDATE ON ledger_account", [refuse("NEW.code IS NOT OLD.code OR NEW.kind IS NOT OLD.kind", FINAL)]),
    "ledger_account_stays": ("DELETE ON ledger_account", [refuse("1", FINAL)]),
    "ledger_close_moves_on": ("INSERT ON ledger_close", [
        refuse("NEW.until IS NOT date(NEW.until)", "a close has a date"),
        refuse(CLOSE_WRONG, "a close goes forward, at the head"),
    ]),
    "ledger_close_is_final": ("UPDATE ON ledger_close", [refuse("1", FINAL)]),
    "ledger_close_stays": ("DELETE ON ledger_close", [refuse("1", FINAL)]),
}


def upgrade_sqlite() -> None:
    for name, (fires, statements) in SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} BEFORE {fires} BEGIN {' '.join(statements)} END")


# PostgreSQL


def raises(condition: str, message: str, *, seq: str = "NEW.seq", entry: str = "NEW") -> str:
    return f"IF {condition.format(seq=seq, entry=entry)} THEN RAISE check_violation USING MESSAGE = '{message}'; END IF;"


FUNCTIONS = {
    "ledger_is_final": f"BEGIN RAISE check_violation USING MESSAGE = '{FINAL}'; END",
    "ledger_entry_begins": (
        f"BEGIN {raises(GAP, 'entries are numbered without a gap')} {raises(CLOSED, 'the period is closed')} RETURN NEW; END"
    ),
    "ledger_entry_is_whole": (
        f"BEGIN {' '.join(raises(condition, message) for condition, message in MISTAKES)} RETURN NULL; END"
    ),
    # Later lines would break the count: so a line comes only in the transaction that makes its entry.
    "ledger_line_is_expected": (
        "DECLARE made ledger_entry; BEGIN SELECT * INTO made FROM ledger_entry WHERE seq = NEW.entry_seq; "
        f"{raises(LINES_MISSING, 'an entry has all its lines and no more', seq='NEW.entry_seq', entry='made')} RETURN NULL; END"
    ),
    "ledger_head_moves_on": f"BEGIN {raises(HEAD_WRONG, 'the head is the last entry')} RETURN NEW; END",
    "ledger_account_keeps_code": (
        f"BEGIN {raises('NEW.code <> OLD.code OR NEW.kind <> OLD.kind', FINAL)} RETURN NEW; END"
    ),
    "ledger_close_moves_on": f"BEGIN {raises(CLOSE_WRONG, 'a close goes forward, at the head')} RETURN NEW; END",
}

# (name, table) -> (when it fires, function)
POSTGRESQL = {
    ("entry_begins", "ledger_entry"): ("BEFORE INSERT", "ledger_entry_begins"),
    ("entry_is_final", "ledger_entry"): ("BEFORE UPDATE OR DELETE", "ledger_is_final"),
    ("line_is_final", "ledger_line"): ("BEFORE UPDATE OR DELETE", "ledger_is_final"),
    ("head_is_alone", "ledger_head"): ("BEFORE INSERT OR DELETE", "ledger_is_final"),
    ("head_moves_on", "ledger_head"): ("BEFORE UPDATE", "ledger_head_moves_on"),
    ("account_stays", "ledger_account"): ("BEFORE DELETE", "ledger_is_final"),
    ("account_keeps_code", "ledger_account"): ("BEFORE UPDATE", "ledger_account_keeps_code"),
    ("close_moves_on", "ledger_close"): ("BEFORE INSERT", "ledger_close_moves_on"),
    ("close_is_final", "ledger_close"): ("BEFORE UPDATE OR DELETE", "ledger_is_final"),
    ("entry_is_whole", "ledger_entry"): ("DEFERRED", "ledger_entry_is_whole"),
    ("line_is_expected", "ledger_line"): ("DEFERRED", "ledger_line_is_expected"),
    **{(f"{table}_stays", table): ("BEFORE TRUNCATE", "ledger_is_final")
       for table in ("ledger_entry", "ledger_line", "ledger_head", "ledger_account", "ledger_close")},
}


def upgrade_postgresql() -> None:
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $ledger$ {body}; $ledger$")
    for (name, table), (fires, function) in POSTGRESQL.items():
        if fires == "DEFERRED":
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
                f"FOR EACH ROW EXECUTE FUNCTION {function}()"
            )
        else:
            each = "STATEMENT" if "TRUNCATE" in fires else "ROW"
            op.execute(f"CREATE TRIGGER {name} {fires} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()")
