"""What waits for somebody, for each desk its own, and saying that it is seen to."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from fulfillment.console.audit import record_act
from fulfillment.console.desk import bp, done, operator
from fulfillment.console.watch import may_close, may_see, my_kinds
from fulfillment.kernel.alerts import Alert, open_alerts, resolve
from fulfillment.kernel.db import lock, reading, transaction
from fulfillment.kernel.refusals import Forbidden, NotFound
from fulfillment.kernel.web import needs


@bp.get("/alerts")
@needs("desk")
def alerts() -> ResponseReturnValue:
    """The open alerts one may act on."""
    with reading() as session:
        opened = open_alerts(session, my_kinds())
    return render_template("console/alerts.html", alerts=opened)


@bp.post("/alerts/<uuid:alert_id>/resolve")
@needs("desk")
def resolve_alert(alert_id: UUID) -> ResponseReturnValue:
    """Somebody has looked and mended it. A second press finds it resolved and changes nothing."""
    with transaction() as session:
        alert = session.scalars(lock(sa.select(Alert).filter_by(id=alert_id))).first()
        if alert is None or not may_see(alert.kind):
            raise NotFound("There is no such alert.")
        if not may_close(alert.kind):
            raise Forbidden("This alert closes by itself once its cause is mended.")
        if alert.resolved_at is None:
            resolve(session, alert.kind, key=alert.key, by=operator())
            record_act(session, operator(), "alert_resolved", alert.key, f"{alert.kind}: {alert.subject}")
    return done("console.alerts", _("The alert is resolved."))
