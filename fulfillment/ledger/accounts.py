"""The chart of accounts: every account the company books to, as code.

Codes follow the Chinese standard chart (财政部, 会计科目表) with a letter for a sub-account of ours.
The table `ledger_account` holds the same codes, so that the database refuses an unknown one;
a new account is a line here and a migration that inserts it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self


class AccountKind(StrEnum):
    """What an account is on the statements; the values are the roots that plain-text accounting uses."""

    ASSET = "Assets"
    LIABILITY = "Liabilities"
    EQUITY = "Equity"
    INCOME = "Income"
    EXPENSE = "Expenses"


class Account(StrEnum):
    """An account; its value is its code."""

    kind: AccountKind
    en: str
    zh: str

    def __new__(cls, code: str, kind: AccountKind, en: str, zh: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.kind, member.en, member.zh = kind, en, zh
        return member

    CASH = "1001", AccountKind.ASSET, "Cash on hand", "库存现金"
    BANK = "1002", AccountKind.ASSET, "Bank", "银行存款"
    CARD_CLEARING = "1012PSP", AccountKind.ASSET, "Card payments in clearing", "其他货币资金—支付平台"
    RECEIVABLE = "1122", AccountKind.ASSET, "Accounts receivable", "应收账款"
    DISPUTED = "1221DSP", AccountKind.ASSET, "Disputed card payments", "其他应收款—争议款"
    DROP_SHIP_GOODS = "1402DS", AccountKind.ASSET, "Drop-ship goods", "在途物资—直运商品"
    PARTS = "1403", AccountKind.ASSET, "Parts", "原材料"
    PRICE_VARIANCE = "1404", AccountKind.ASSET, "Purchase price variance", "材料成本差异"
    FINISHED_GOODS = "1405", AccountKind.ASSET, "Finished goods", "库存商品"
    ON_CONSIGNMENT = "1406C", AccountKind.ASSET, "Goods on consignment", "发出商品—委托代销"
    SHIPPED_NOT_INVOICED = "1406S", AccountKind.ASSET, "Goods shipped, not invoiced", "发出商品"
    WIP = "5001", AccountKind.ASSET, "Work in progress", "生产成本"
    PAYABLE = "2202", AccountKind.LIABILITY, "Accounts payable", "应付账款"
    GRNI = "2202G", AccountKind.LIABILITY, "Goods received, not invoiced", "应付账款—暂估"
    CUSTOMER_DEPOSITS = "2204", AccountKind.LIABILITY, "Customer deposits", "合同负债"
    WAGES = "2211", AccountKind.LIABILITY, "Wages payable", "应付职工薪酬"
    INPUT_TAX = "2221I", AccountKind.LIABILITY, "Input tax", "应交税费—进项税额"
    OUTPUT_TAX = "2221O", AccountKind.LIABILITY, "Sales tax collected", "应交税费—销项税额"
    COMMISSION_DUE = "2241K", AccountKind.LIABILITY, "Commission due", "其他应付款—佣金"
    REFUNDS_DUE = "2241R", AccountKind.LIABILITY, "Refunds due", "其他应付款—应退款"
    CAPITAL = "4001", AccountKind.EQUITY, "Paid-in capital", "实收资本"
    PROFIT = "4103", AccountKind.EQUITY, "Profit for the year", "本年利润"
    REVENUE = "6001", AccountKind.INCOME, "Revenue", "主营业务收入"
    SALES_ALLOWANCES = "6001A", AccountKind.INCOME, "Sales allowances", "主营业务收入—销售折让"
    COGS = "6401", AccountKind.EXPENSE, "Cost of goods sold", "主营业务成本"
    COMMISSION = "6601K", AccountKind.EXPENSE, "Sales commission", "销售费用—佣金"
    SCRAP = "6602S", AccountKind.EXPENSE, "Scrap and rework", "管理费用—报废损失"
    INVENTORY_DIFFERENCE = "6602V", AccountKind.EXPENSE, "Inventory differences", "管理费用—存货盘亏"
    CARD_FEES = "6603F", AccountKind.EXPENSE, "Card fees", "财务费用—手续费"
    EXCHANGE_DIFFERENCE = "6603X", AccountKind.EXPENSE, "Exchange differences", "财务费用—汇兑损益"
    CHARGEBACK_LOSS = "6711", AccountKind.EXPENSE, "Chargeback losses", "营业外支出—拒付损失"

    @classmethod
    def of(cls, code: str) -> Account:
        """The account of a code. Raises ValueError."""
        for account in cls:
            if account.value == code:
                return account
        raise ValueError(f"no account {code!r}")

    @property
    def code(self) -> str:
        """The number accountants call it by."""
        return self.value

    @property
    def names(self) -> dict[str, str]:
        """Its name in each language, as `pick` takes it."""
        return {"en": self.en, "zh": self.zh}

    @property
    def path(self) -> str:
        """Its name in plain-text accounting: `Assets:1012PSP-Card-payments-in-clearing`."""
        return f"{self.kind.value}:{self.code}-{re.sub('[^A-Za-z0-9]+', '-', self.en)}"
