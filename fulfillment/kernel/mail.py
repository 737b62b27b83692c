"""Mail goes out after the act that causes it, and never without it.

`send_mail` writes the message and its job in the caller's transaction; the job hands it to the
SMTP server, or in development writes an .eml file. A message that goes out twice (a crash between
sending and noting it) carries the same Message-ID, so the receiver's mailbox keeps one.
"""

from __future__ import annotations

import base64
import hashlib
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from fulfillment.kernel import jobs
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import Base, Id, insert, reading, transaction
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.settings import settings


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that goes along."""

    name: str
    mime: str
    content: bytes


class Mail(Base):
    """A message to somebody, written with the act it tells of."""

    __tablename__ = "mail"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str | None]
    attachments: Mapped[list[dict[str, Any]]]
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


def send_mail(
    session: Session, *, to: str, subject: str, text: str, key: str, html: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> None:
    """Write a message to be sent once this transaction commits; the same `key` writes no second one."""
    packed = [{"name": a.name, "mime": a.mime, "data": base64.b64encode(a.content).decode()} for a in attachments]
    statement = (
        insert(session, Mail)
        .values(
            id=new_id(), key=key, to=to, subject=" ".join(subject.split()), text=text, html=html, attachments=packed, at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Mail.id)
    )
    written = session.scalars(statement).first()
    if written is not None:
        jobs.enqueue(session, "kernel.deliver_mail", key=f"mail:{key}", mail_id=str(written))


@jobs.outside("kernel.deliver_mail")
def deliver_mail(*, mail_id: str) -> None:
    """Hand one message over; safe to repeat."""
    with reading() as session:
        mail = session.scalars(sa.select(Mail).filter_by(id=UUID(mail_id))).one()
    if mail.sent_at is not None:
        return
    message = compose(mail)
    if settings().mail_url:
        _smtp(message)
    else:
        _write(mail.key, message)
    with transaction() as session:
        session.execute(sa.update(Mail).filter_by(id=mail.id).values(sent_at=now()))


def compose(mail: Mail) -> EmailMessage:
    """The message as it goes over the wire; the policy refuses line breaks in headers."""
    message = EmailMessage(policy=SMTP)
    message["From"] = settings().mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.id}@larkmill.example>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for part in mail.attachments:
        maintype, _, subtype = part["mime"].partition("/")
        message.add_attachment(base64.b64decode(part["data"]), maintype=maintype, subtype=subtype, filename=part["name"])
    return message


def _smtp(message: EmailMessage) -> None:
    url = urlsplit(settings().mail_url)
    with smtplib.SMTP(url.hostname or "localhost", url.port or 25, timeout=20) as server:
        if url.scheme == "smtp+tls":
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)


def _write(key: str, message: EmailMessage) -> None:
    folder = settings().var_dir / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    part = folder / f".{name}.part"
    try:
        part.write_bytes(message.as_bytes())
        part.replace(folder / f"{name}.eml")
    finally:
        part.unlink(missing_ok=True)  # a full disk leaves nothing half written
