"""The posting table: what each event of the business does to the books, one pure function a row.

Debits are positive and stand first. Amounts given are zero or more; a leg of zero is left out.
The sources name the paragraph a rule rests on; where none is named it is plain double entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import ParamSpec

from fulfillment.kernel.money import Money, total
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft

P = ParamSpec("P")

RULES: dict[str, Callable[..., Draft]] = {}
"""Every posting rule by its name, which is also the `kind` of its entries."""


def rule(function: Callable[P, Draft]) -> Callable[P, Draft]:
    """Put the function in the posting table."""
    RULES[function.__name__] = function
    return function


def _amounts(*amounts: Money) -> None:
    if any(amount.minor < 0 for amount in amounts):
        raise ValueError("a posting takes amounts of zero or more: what is taken back has a rule of its own")


# The customer's money


@rule
def payment_captured(order_number: str, txn_id: str, gross: Money, fee: Money) -> Draft:
    """The customer paid by card; we owe them the goods, so it is a deposit, not yet a sale.

    The provider keeps its `fee` out of `gross`. One entry per balance transaction `txn_id`.
    Source: IFRS 15.106 (a payment before the transfer is a contract liability); CAS 14 (2017), account 2204.
    """
    _amounts(gross, fee)
    legs = (
        (Account.CARD_CLEARING, gross), (Account.CUSTOMER_DEPOSITS, -gross),
        (Account.CARD_FEES, fee), (Account.CARD_CLEARING, -fee),
    )
    return Draft("payment_captured", txn_id, legs, f"Card payment of order {order_number}", document=order_number)


@rule
def card_fee_charged(txn_id: str, amount: Money) -> Draft:
    """The payment provider took a fee that belongs to no single payment."""
    _amounts(amount)
    return Draft("card_fee_charged", txn_id, ((Account.CARD_FEES, amount), (Account.CARD_CLEARING, -amount)), "Fee of the payment provider")


@rule
def refund_requested(order_number: str, key: str, amount: Money, *, invoiced: bool = False) -> Draft:
    """We promised money back; until it is sent we owe it as a refund.

    Before the invoice it comes out of the customer's deposit. After one (`invoiced`) nothing of the deposit is
    left, and no credit note takes price or tax back: the whole of it is an allowance, which lessens revenue.
    Source: IFRS 15.55 (refund liability), IFRS 15.70 (consideration given back to a customer reduces revenue).
    """
    _amounts(amount)
    taken_from = Account.SALES_ALLOWANCES if invoiced else Account.CUSTOMER_DEPOSITS
    memo = f"Allowance on order {order_number}, without a credit note" if invoiced else f"Refund promised on order {order_number}"
    return Draft("refund_requested", key, ((taken_from, amount), (Account.REFUNDS_DUE, -amount)), memo, document=order_number)


@rule
def refund_settled(order_number: str, txn_id: str, amount: Money) -> Draft:
    """The provider paid the refund out of our clearing balance; the fee of the payment is not given back."""
    _amounts(amount)
    legs = ((Account.REFUNDS_DUE, amount), (Account.CARD_CLEARING, -amount))
    return Draft("refund_settled", txn_id, legs, f"Refund paid on order {order_number}", document=order_number)


@rule
def refund_failed(order_number: str, txn_id: str, amount: Money) -> Draft:
    """The customer's bank sent the refund back: the money is ours to hold and still owed."""
    _amounts(amount)
    legs = ((Account.CARD_CLEARING, amount), (Account.REFUNDS_DUE, -amount))
    return Draft("refund_failed", txn_id, legs, f"Refund came back on order {order_number}", document=order_number)


@rule
def payout_settled(txn_id: str, amount: Money) -> Draft:
    """The provider sent our balance to the bank."""
    _amounts(amount)
    return Draft("payout_settled", txn_id, ((Account.BANK, amount), (Account.CARD_CLEARING, -amount)), "Payout")


@rule
def payout_returned(txn_id: str, amount: Money) -> Draft:
    """The bank refused a payout: the money stands with the provider again."""
    _amounts(amount)
    return Draft("payout_returned", txn_id, ((Account.CARD_CLEARING, amount), (Account.BANK, -amount)), "Payout returned")


@rule
def dispute_opened(order_number: str, txn_id: str, amount: Money, fee: Money) -> Draft:
    """The cardholder's bank took the money back until the dispute is decided, and a fee with it."""
    _amounts(amount, fee)
    legs = (
        (Account.DISPUTED, amount), (Account.CARD_CLEARING, -amount),
        (Account.CARD_FEES, fee), (Account.CARD_CLEARING, -fee),
    )
    return Draft("dispute_opened", txn_id, legs, f"Dispute of order {order_number}", document=order_number)


@rule
def dispute_won(order_number: str, txn_id: str, amount: Money, fee: Money) -> Draft:
    """The dispute went our way: the funds come back, and with them the `fee` that is given back (zero if it is not)."""
    _amounts(amount, fee)
    legs = (
        (Account.CARD_CLEARING, amount), (Account.DISPUTED, -amount),
        (Account.CARD_CLEARING, fee), (Account.CARD_FEES, -fee),
    )
    return Draft("dispute_won", txn_id, legs, f"Dispute of order {order_number} won", document=order_number)


@rule
def dispute_lost(order_number: str, dispute_id: str, amount: Money) -> Draft:
    """The dispute went against us: nobody owes us the money any more, so it is a loss."""
    _amounts(amount)
    legs = ((Account.CHARGEBACK_LOSS, amount), (Account.DISPUTED, -amount))
    return Draft("dispute_lost", dispute_id, legs, f"Dispute of order {order_number} lost", document=order_number)


# Parts and suppliers


@rule
def parts_received(receipt_number: str, cost: Money, *, order_number: str = "") -> Draft:
    """Parts came in at standard cost; we owe the supplier, who has not invoiced yet.

    `order_number` is the purchase order. Source: IAS 2.10 and 2.21 (standard cost), IAS 37.11 (goods received are accrued).
    """
    _amounts(cost)
    legs = ((Account.PARTS, cost), (Account.GRNI, -cost))
    return Draft("parts_received", receipt_number, legs, f"Parts received, {receipt_number}", document=order_number)


@rule
def supplier_invoiced(number: str, amount: Money, *, received: Money | None = None, order_number: str = "") -> Draft:
    """The supplier's invoice replaces the accrual of what was `received` (the same amount when left out).

    What it charges above or below standard cost is a price variance. `order_number` is the purchase order.
    """
    accrued = amount if received is None else received
    _amounts(amount, accrued)
    legs = ((Account.GRNI, accrued), (Account.PRICE_VARIANCE, amount - accrued), (Account.PAYABLE, -amount))
    return Draft("supplier_invoiced", number, legs, f"Supplier's invoice {number}", document=order_number)


@rule
def supplier_paid(key: str, amount: Money, *, number: str = "") -> Draft:
    """We paid the supplier's invoice `number` from the bank."""
    _amounts(amount)
    return Draft("supplier_paid", key, ((Account.PAYABLE, amount), (Account.BANK, -amount)), "Supplier paid", document=number)


@rule
def stock_counted(key: str, found: Money, lost: Money) -> Draft:
    """A count found parts that the books did not have, or missed parts that they did. Source: IAS 2.34."""
    _amounts(found, lost)
    difference = found - lost
    return Draft("stock_counted", key, ((Account.PARTS, difference), (Account.INVENTORY_DIFFERENCE, -difference)), "Stock count")


@rule
def parts_revalued(key: str, before: Money, after: Money) -> Draft:
    """The standard cost of parts on hand was changed; the books follow. Source: IAS 2.21 (standards are reviewed and revised)."""
    _amounts(before, after)
    difference = after - before
    return Draft("parts_revalued", key, ((Account.PARTS, difference), (Account.PRICE_VARIANCE, -difference)), "Standard cost changed")


# The factory


@rule
def parts_issued(work_order: str, cost: Money, *, key: str = "") -> Draft:
    """Parts left the shelf for the bench: the same money, now in work in progress.

    `key` tells a second issue to the same work order (a rework) from the first. Source: IAS 2.12.
    """
    _amounts(cost)
    legs = ((Account.WIP, cost), (Account.PARTS, -cost))
    return Draft("parts_issued", key or work_order, legs, f"Parts issued to {work_order}", document=work_order)


@rule
def parts_returned(work_order: str, cost: Money, *, key: str = "") -> Draft:
    """Good parts went back from the bench to the shelf: a build was given up, or took too many."""
    _amounts(cost)
    legs = ((Account.PARTS, cost), (Account.WIP, -cost))
    return Draft("parts_returned", key or work_order, legs, f"Parts returned from {work_order}", document=work_order)


@rule
def part_scrapped(work_order: str, cost: Money, *, key: str = "") -> Draft:
    """A part failed on the bench: it is no cost of the machine but a loss of the period.

    Source: IAS 2.16(a) (abnormal amounts of wasted materials are expensed).
    """
    _amounts(cost)
    legs = ((Account.SCRAP, cost), (Account.WIP, -cost))
    return Draft("part_scrapped", key or work_order, legs, f"Part scrapped on {work_order}", document=work_order)


@rule
def labour_applied(work_order: str, cost: Money) -> Draft:
    """Hands at the bench are a cost of the machine. Source: IAS 2.12 (costs of conversion include direct labour)."""
    _amounts(cost)
    return Draft("labour_applied", work_order, ((Account.WIP, cost), (Account.WAGES, -cost)), f"Labour on {work_order}")


@rule
def build_finished(work_order: str, cost: Money) -> Draft:
    """The machine is in its box: everything that went into it is now finished goods."""
    _amounts(cost)
    return Draft("build_finished", work_order, ((Account.FINISHED_GOODS, cost), (Account.WIP, -cost)), f"Build finished, {work_order}")


# The sale


@rule
def goods_dispatched(shipment: str, finished_cost: Money, item_cost: Money, *, order_number: str = "") -> Draft:
    """Goods left the house and are not invoiced yet: machines from finished goods, plain items from parts."""
    _amounts(finished_cost, item_cost)
    legs = (
        (Account.SHIPPED_NOT_INVOICED, finished_cost + item_cost),
        (Account.FINISHED_GOODS, -finished_cost), (Account.PARTS, -item_cost),
    )
    return Draft("goods_dispatched", shipment, legs, f"Goods dispatched, {shipment}", document=order_number)


@rule
def invoice_issued(invoice: str, net: Money, tax: Money, *, order_number: str = "") -> Draft:
    """We have a right to the money; the tax is the state's, the rest is owed in goods until it is recognised.

    Source: IFRS 15.108 (receivable), IFRS 15.47 (amounts collected for third parties are no revenue).
    """
    _amounts(net, tax)
    legs = ((Account.RECEIVABLE, net + tax), (Account.CUSTOMER_DEPOSITS, -net), (Account.OUTPUT_TAX, -tax))
    return Draft("invoice_issued", invoice, legs, f"Invoice {invoice}", document=order_number)


@rule
def sale_recognised(invoice: str, net: Money, cost: Money, *, order_number: str = "") -> Draft:
    """Goods are dispatched and invoiced: the price is earned, and their cost is an expense with it.

    Source: IFRS 15.31 and 15.38 (transfer of control), IAS 2.34 (cost expensed with its revenue).
    """
    _amounts(net, cost)
    legs = (
        (Account.CUSTOMER_DEPOSITS, net), (Account.REVENUE, -net),
        (Account.COGS, cost), (Account.SHIPPED_NOT_INVOICED, -cost),
    )
    return Draft("sale_recognised", invoice, legs, f"Sale of invoice {invoice}", document=order_number)


@rule
def deposit_applied(invoice: str, gross: Money, *, order_number: str = "") -> Draft:
    """The customer paid beforehand: the deposit settles the invoice."""
    _amounts(gross)
    legs = ((Account.CUSTOMER_DEPOSITS, gross), (Account.RECEIVABLE, -gross))
    return Draft("deposit_applied", invoice, legs, f"Deposit applied to invoice {invoice}", document=order_number)


@rule
def invoice_paid(key: str, amount: Money, *, invoice: str = "") -> Draft:
    """The customer paid the `invoice` by bank transfer."""
    _amounts(amount)
    return Draft("invoice_paid", key, ((Account.BANK, amount), (Account.RECEIVABLE, -amount)), "Receipt of money", document=invoice)


@rule
def tax_remitted(key: str, amount: Money) -> Draft:
    """The sales tax we collected went to the state it belongs to."""
    _amounts(amount)
    return Draft("tax_remitted", key, ((Account.OUTPUT_TAX, amount), (Account.BANK, -amount)), "Sales tax remitted")


# The company


@rule
def entered_by_hand(
    key: str, debit: Account, credit: Account, amount: Money, *, reason: str, by: str, effective: date | None = None
) -> Draft:
    """Somebody booked what no rule books, and says why."""
    _amounts(amount)
    return Draft("entered_by_hand", key, ((debit, amount), (credit, -amount)), f"{reason} ({by})", effective)


@rule
def opening(key: str, balances: Mapping[Account, Money], *, effective: date | None = None) -> Draft:
    """What the company owned (positive) and owed (negative) when its books began; the owners' capital is the difference."""
    capital = total(balances.values())
    return Draft("opening", key, (*balances.items(), (Account.CAPITAL, -capital)), "Opening balance", effective)
