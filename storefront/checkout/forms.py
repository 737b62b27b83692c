"""What the checkout asks: how to reach the customer, where the parcel goes, how fast."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FormField, RadioField
from wtforms.validators import InputRequired

from fulfillment.kernel.web import EmailAddressField
from storefront.forms import AddressForm


class DetailsForm(AddressForm):
    """Contact, the address of delivery, and the choice of delivery."""

    email = EmailAddressField(_l("E-mail"), _l("For the confirmation and every step of your machine."))
    delivery = RadioField(_l("Delivery"), [InputRequired()], default="standard")
    other_billing = BooleanField(_l("The invoice goes to another address"))
    billing = FormField(AddressForm)

    def validate(self, extra_validators: Any = None) -> bool:
        """The billing address counts only when it is asked for."""
        wanted = self.other_billing.data
        billing, self._fields = (
            self._fields["billing"],
            {name: field for name, field in self._fields.items() if wanted or name != "billing"},
        )
        try:
            return super().validate(extra_validators)
        finally:
            self._fields["billing"] = billing
