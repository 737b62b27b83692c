"""Shared configurations for programs: give one a link, and ask what a link means today."""

from __future__ import annotations

from configurator import messages as told
from configurator import page, presenting
from configurator.api import MODEL, state_of
from configurator.releasing import released
from configurator.saved.service import Today, as_of_today, find_shared, share
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.messages import Amount
from fulfillment.kernel.openapi import Api, Parameter, absolute

api = Api("saved_api", __name__, tag="Machines and quotes")
bp = api.bp

TOKEN = Parameter("token", "path", "The token of a shared configuration.", "q3Jd0mYwVb7C")


@api.operation(
    "POST", "/models/{model_id}/share", answer=told.SharedAnswer, status=201, body=told.ShareRequest, parameters=(MODEL,),
    limit="60/minute",
)
def share_configuration(model_id: str, body: told.ShareRequest) -> told.SharedAnswer:
    """Give a configuration a link that always means the same; the same configuration gets the same link."""
    asked = released(model_id)
    state = state_of(asked.model, body)
    with transaction() as session:
        found = presenting.asked(session, asked, state)
        kept = share(session, asked, state.own, found.answer.configuration, found.answer.price)
        (today,) = as_of_today(session, [kept])
        return _shared(today)


@api.operation("GET", "/configurations/{token}", answer=told.SharedAnswer, parameters=(TOKEN,))
def show_configuration(token: str) -> told.SharedAnswer:
    """What a shared configuration was, and what it is today."""
    with reading() as session:
        (today,) = as_of_today(session, find_shared(session, [token]))
        return _shared(today)


def _shared(today: Today) -> told.SharedAnswer:
    kept = today.kept
    return told.SharedAnswer(
        token=kept.token, model=kept.model_id, shared_at=kept.shared_at, shared_price=Amount.of(kept.price),
        choices={group: list(options) for group, options in today.own.items()},
        configuration={group: list(options) for group, options in today.configuration.items()},
        renewed=today.renewed, price=Amount.of(today.price), ready_on=today.ready,
        links=told.ConfigureLinks(
            self=absolute(".show_configuration", token=kept.token),
            page=absolute("configurator.configure", model_id=kept.model_id, **page.query(today.own)),
        ),
    )
