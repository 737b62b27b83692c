"""What search engines read about a product: schema.org Product and Offer as JSON-LD.

Source: schema.org (Product, Offer, PropertyValue, MadeToOrder); prices as decimal text without tax,
said so by `valueAddedTaxIncluded`.
"""

from __future__ import annotations

from collections.abc import Mapping

from fulfillment.kernel.i18n import pick
from fulfillment.kernel.money import Money
from storefront.shop.catalogue import Item, Machine

CONTEXT = "https://schema.org"
BRAND = {"@type": "Brand", "name": "Larkmill"}


def _offer(price: Money, url: str, availability: str) -> dict[str, object]:
    return {
        "@type": "Offer",
        "url": url,
        "availability": f"{CONTEXT}/{availability}",
        "itemCondition": f"{CONTEXT}/NewCondition",
        "price": str(price.decimal()),
        "priceCurrency": price.currency,
        "priceSpecification": {
            "@type": "UnitPriceSpecification",
            "price": str(price.decimal()),
            "priceCurrency": price.currency,
            "valueAddedTaxIncluded": False,
        },
    }


def machine_data(machine: Machine, *, url: str, picture: str) -> Mapping[str, object]:
    """Describe a machine as it stands; the addresses are absolute."""
    model = machine.model
    return {
        "@context": CONTEXT,
        "@type": "Product",
        "name": pick(model.name),
        "description": pick(model.summary),
        "sku": model.id,
        "category": model.family,
        "brand": BRAND,
        "image": picture,
        "url": url,
        "additionalProperty": [{"@type": "PropertyValue", "name": pick(f.label), "value": pick(f.value)} for f in model.facts],
        "offers": _offer(machine.price, url, "MadeToOrder"),
    }


def item_data(item: Item, *, url: str, in_stock: bool) -> Mapping[str, object]:
    """Describe something sold by itself."""
    return {
        "@context": CONTEXT,
        "@type": "Product",
        "name": pick(item.part.name),
        "description": pick(item.part.detail or item.part.name),
        "sku": item.part.sku,
        "brand": BRAND,
        "url": url,
        "offers": _offer(item.price, url, "InStock" if in_stock else "BackOrder"),
    }
