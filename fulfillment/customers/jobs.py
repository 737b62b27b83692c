"""What is done for customers after they have been answered: the letter with a link, and tidying up."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.customers import service
from fulfillment.kernel.jobs import every, job


@job("customers.mail_reset")
def mail_reset(session: Session, *, email: str, link: str) -> None:
    """Mail the link to choose a new password to whom it concerns."""
    service.mail_reset(session, email=email, link=link)


@every(minutes=24 * 60, kind="customers.forget_ended_visits")
@job("customers.forget_ended_visits")
def forget_ended_visits(session: Session) -> None:
    """Forget sessions that have ended twice: by signing out, and by age."""
    service.forget_ended_visits(session)
