"""Invoices a business customer pays later: drafted, finalised, sent, and settled outside the provider."""

from __future__ import annotations

from typing import Any

from fulfillment.billing.simulator.errors import StripeRefusal, invalid, not_modelled
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import DAY, Account, Obj, token

_MODELLED = frozenset(
    {"customer", "collection_method", "days_until_due", "due_date", "currency", "description", "footer", "metadata"}
    | {"custom_fields", "auto_advance", "expand", "pending_invoice_items_behavior", "number"}
)


@serves("POST /v1/invoices")
def create(account: Account, params: Obj) -> Obj:
    """A draft. The customer's loose items go on it unless told otherwise."""
    if foreign := sorted(params.keys() - _MODELLED):
        raise not_modelled(f"this of an invoice: {', '.join(foreign)}")
    if not params.get("customer"):
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = account.get("customer", params["customer"], "customer")
    sent = params.get("collection_method") == "send_invoice"
    if sent and not (params.get("days_until_due") or params.get("due_date")):
        told = "If invoice collection method is 'send_invoice', you must specify 'days_until_due' or 'due_date'."
        raise invalid(told, param="days_until_due")
    invoice = account.add(
        "invoice",
        **_amounts(0),
        **_constants(account),
        auto_advance=params.get("auto_advance", False),
        collection_method=params.get("collection_method", "charge_automatically"),
        currency=params.get("currency", "usd").lower(),
        custom_fields=params.get("custom_fields") or None,
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        description=params.get("description"),
        due_date=params.get("due_date"),
        footer=params.get("footer"),
        metadata=params.get("metadata") or {},
        number=params.get("number"),
        status="draft",
        _days=params.get("days_until_due"),
    )
    if params.get("pending_invoice_items_behavior") == "include":
        for item in account.find("invoiceitem", customer=customer["id"], invoice=None):
            _put_on(invoice, item)
    account.emit("invoice.created", invoice)
    return invoice


def _amounts(total: int, paid: int = 0) -> Obj:
    return {
        "amount_due": total,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def _constants(account: Account) -> dict[str, Any]:
    """Parts of an invoice that are always the same here."""
    return {
        "account_country": "US",
        "account_name": "Larkmill",
        "amount_overpaid": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": "manual",
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": [], "has_more": False, "url": "/v1/invoices/lines"},
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": account.now(),
        "period_start": account.now(),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "total_discount_amounts": [],
        "total_taxes": [],
    }


@serves("POST /v1/invoiceitems")
def create_item(account: Account, params: Obj) -> Obj:
    """A line, on a draft or waiting for the customer's next one."""
    if not params.get("customer") or "amount" not in params:
        param = "amount" if params.get("customer") else "customer"
        raise invalid(f"Missing required param: {param}.", code="parameter_missing", param=param)
    account.get("customer", params["customer"], "customer")
    now = account.now()
    item = account.add(
        "invoiceitem",
        amount=params["amount"],
        currency=params.get("currency", "usd").lower(),
        customer=params["customer"],
        date=now,
        description=params.get("description"),
        discountable=params["amount"] > 0,
        discounts=[],
        metadata=params.get("metadata") or {},
        period={"start": now, "end": now},
        proration=False,
        quantity=params.get("quantity", 1),
        quantity_decimal=str(params.get("quantity", 1)),
    )
    if params.get("invoice"):
        invoice = account.get("invoice", params["invoice"], "invoice")
        if invoice["status"] != "draft":
            raise _wrong_status(invoice, "draft")
        if invoice["customer"] != item["customer"]:
            raise invalid("The invoice belongs to another customer.", param="invoice")
        _put_on(invoice, item)
    account.emit("invoiceitem.created", item)
    return item


def _put_on(invoice: Obj, item: Obj) -> None:
    """Write the item on the draft. Raises StripeRefusal for another currency."""
    lines = invoice["lines"]["data"]
    if lines and item["currency"] != invoice["currency"]:
        raise invalid("All items of an invoice must be in its currency.", param="currency")
    item["invoice"] = invoice["id"]
    invoice["currency"] = item["currency"]
    lines.append(
        {
            "id": f"il_{token(24)}",
            "object": "line_item",
            "amount": item["amount"],
            "currency": item["currency"],
            "description": item["description"],
            "discount_amounts": [],
            "discountable": item["discountable"],
            "discounts": [],
            "invoice": invoice["id"],
            "livemode": False,
            "metadata": dict(item["metadata"]),
            "parent": {"type": "invoice_item_details", "invoice_item_details": {"invoice_item": item["id"]}},
            "period": dict(item["period"]),
            "pretax_credit_amounts": [],
            "pricing": None,
            "quantity": item["quantity"],
            "subtotal": item["amount"],
            "taxes": [],
        }
    )
    invoice.update(_amounts(sum(line["amount"] for line in lines)))


def _wrong_status(invoice: Obj, *allowed: str) -> StripeRefusal:
    told = f"This invoice is {invoice['status']}; only one that is {' or '.join(allowed)} can be changed this way."
    return invalid(told, code="invoice_not_editable")


def _step(account: Account, identity: str, *allowed: str, event: str, moment: str | None = None, **changes: Any) -> Obj:
    """Move an invoice on. Raises StripeRefusal when it is in no state for that."""
    invoice = account.get("invoice", identity)
    if invoice["status"] not in allowed:
        raise _wrong_status(invoice, *allowed)
    invoice.update(changes)
    if moment:
        invoice["status_transitions"][moment] = account.now()
    account.emit(event, invoice)
    return invoice


@serves("POST /v1/invoices/{invoice}/finalize")
def finalize(account: Account, _params: Obj, identity: str) -> Obj:
    """Number the draft; from now on it does not change."""
    invoice = account.get("invoice", identity)
    count = len(account.find("invoice")) - len(account.find("invoice", number=None)) + 1
    due = account.now() + (invoice["_days"] or 0) * DAY
    return _step(
        account,
        identity,
        "draft",
        event="invoice.finalized",
        moment="finalized_at",
        status="open",
        number=invoice["number"] or f"SIM-{count:06d}",
        due_date=invoice["due_date"] or due,
        effective_at=account.now(),
        ending_balance=0,
    )


@serves("POST /v1/invoices/{invoice}/send")
def send(account: Account, _params: Obj, identity: str) -> Obj:
    """Mail it to the customer (the simulator only says so); a draft is finalised first."""
    if account.get("invoice", identity)["status"] == "draft":
        finalize(account, {}, identity)
    return _step(account, identity, "open", event="invoice.sent")


@serves("POST /v1/invoices/{invoice}/pay")
def pay(account: Account, params: Obj, identity: str) -> Obj:
    """Paid by bank transfer, outside the provider."""
    if not params.get("paid_out_of_band"):
        raise not_modelled("paying an invoice by card: say paid_out_of_band")
    total = account.get("invoice", identity)["total"]
    paid = _step(
        account,
        identity,
        "open",
        "uncollectible",
        event="invoice.paid",
        moment="paid_at",
        status="paid",
        attempted=True,
        amount_paid_off_stripe=total,
        **_amounts(total, total),
    )
    account.emit("invoice.payment_succeeded", paid)
    return paid


@serves("POST /v1/invoices/{invoice}/void")
def void(account: Account, _params: Obj, identity: str) -> Obj:
    """It was a mistake; the number stays used."""
    return _step(account, identity, "open", "uncollectible", event="invoice.voided", moment="voided_at", status="void")


@serves("POST /v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(account: Account, _params: Obj, identity: str) -> Obj:
    """Nobody expects the money any more."""
    return _step(
        account,
        identity,
        "open",
        event="invoice.marked_uncollectible",
        moment="marked_uncollectible_at",
        status="uncollectible",
    )


@serves("GET /v1/invoices")
def list_invoices(account: Account, params: Obj) -> Obj:
    """Invoices, the newest first."""
    return listed(account, "invoice", params, "/v1/invoices", "customer", "status", "collection_method")


@serves("GET /v1/invoices/{invoice}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One invoice."""
    return account.get("invoice", identity)


@serves("POST /v1/invoices/{invoice}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change a draft; afterwards its metadata only."""
    invoice = account.get("invoice", identity)
    if invoice["status"] != "draft" and params.keys() - {"metadata"}:
        raise _wrong_status(invoice, "draft")
    invoice["_days"] = params.pop("days_until_due", invoice["_days"])
    account.emit("invoice.updated", update_plain(invoice, params))
    return invoice


@serves("DELETE /v1/invoices/{invoice}")
def delete(account: Account, _params: Obj, identity: str) -> Obj:
    """Throw a draft away."""
    invoice = account.get("invoice", identity)
    if invoice["status"] != "draft":
        raise _wrong_status(invoice, "draft")
    account.emit("invoice.deleted", invoice)
    return account.remove("invoice", identity)


@serves("GET /v1/invoiceitems")
def list_items(account: Account, params: Obj) -> Obj:
    """Lines, the newest first."""
    return listed(account, "invoiceitem", params, "/v1/invoiceitems", "customer", "invoice")


@serves("GET /v1/invoiceitems/{invoiceitem}")
def show_item(account: Account, _params: Obj, identity: str) -> Obj:
    """One line."""
    return account.get("invoiceitem", identity)
