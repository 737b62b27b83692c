"""Letters go out with the act that causes them, once, and say what they should in every header."""

from __future__ import annotations

import email
import email.policy
import smtplib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa

from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.mail import Attachment, Mail, deliver_mail, send_mail
from fulfillment.kernel.settings import Settings, settings, use

pytestmark = pytest.mark.usefixtures("db")


def write(key: str = "k", **changes: Any) -> None:
    with transaction() as session:
        send_mail(session, **{"to": "ada@example.com", "subject": "Your machine", "text": "It is on its way.\n", "key": key, **changes})


def letters() -> list[Path]:
    return sorted((settings().var_dir / "mail").glob("*"))


def read() -> EmailMessage:
    """The only letter."""
    [path] = letters()
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


def the_mail() -> Mail:
    with reading() as session:
        return session.scalars(sa.select(Mail)).one()


def test_a_letter_of_an_act_that_failed_is_never_sent() -> None:
    with pytest.raises(KeyError), transaction() as session:
        send_mail(session, to="ada@example.com", subject="s", text="t", key="k")
        raise KeyError
    assert run_until_idle() == 0
    assert letters() == []


def test_the_same_key_is_one_letter() -> None:
    write()
    write(text="Something else")
    assert run_until_idle() == 1
    assert read().get_content().strip() == "It is on its way."


def test_a_letter_has_text_page_and_attachment_in_any_language() -> None:
    paper = Attachment("Q-1.pdf", "application/pdf", bytes(range(256)))
    write(subject="您的机器 🖥️", text="已发货。\n", html="<p>已发货。</p>", attachments=[paper])
    run_until_idle()
    message = read()
    assert (message["To"], message["Subject"], message["Auto-Submitted"]) == ("ada@example.com", "您的机器 🖥️", "auto-generated")
    assert message["Message-ID"] == f"<{the_mail().id}@larkmill.example>"
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert (plain.get_content().strip(), page.get_content().strip()) == ("已发货。", "<p>已发货。</p>")
    [attached] = list(message.iter_attachments())
    assert (attached.get_filename(), attached.get_content_type()) == ("Q-1.pdf", "application/pdf")
    assert attached.get_content() == bytes(range(256))


def test_a_line_break_in_a_subject_is_no_header() -> None:
    write(subject="Your machine\r\nBcc: everybody@example.com")
    run_until_idle()
    message = read()
    assert message["Subject"] == "Your machine Bcc: everybody@example.com"
    assert message["Bcc"] is None


def test_a_line_break_in_an_address_is_refused_and_nothing_goes_out() -> None:
    write(to="ada@example.com\nBcc: everybody@example.com")
    with pytest.raises(ValueError, match=r"(?i)linefeed|newline|carriage"):
        run_until_idle()
    assert letters() == []


def test_a_letter_delivered_twice_is_one_file_with_one_id() -> None:
    write()
    run_until_idle()
    first = letters()[0].read_bytes()
    with transaction() as session:  # as if the worker had died before it noted the sending
        session.execute(sa.update(Mail).values(sent_at=None))
    deliver_mail(mail_id=str(the_mail().id))
    assert [path.read_bytes() for path in letters()] == [first]
    sent = the_mail().sent_at
    deliver_mail(mail_id=str(the_mail().id))
    assert the_mail().sent_at == sent, "what was sent is not sent again"


class PostOffice:
    """Stands in for smtplib.SMTP."""

    acts: tuple[list[str], ...] = ()

    def __init__(self, host: str, port: int, timeout: int) -> None:
        self.said = [f"connect {host}:{port} within {timeout} s"]
        type(self).acts += (self.said,)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.said.append("quit")

    def starttls(self) -> None:
        self.said.append("starttls")

    def login(self, user: str, password: str) -> None:
        self.said.append(f"login {user} {password}")

    def send_message(self, message: EmailMessage) -> None:
        self.said.append(f"send {message['Message-ID']}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://127.0.0.1:2525", ["connect 127.0.0.1:2525 within 20 s"]),
        ("smtp+tls://shop:p%40ss@mail.example", ["connect mail.example:25 within 20 s", "starttls", "login shop p@ss"]),
    ],
)
def test_a_letter_goes_to_the_post_office_of_the_settings(
    chosen_settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str, said: list[str],
) -> None:
    monkeypatch.setattr(PostOffice, "acts", ())
    monkeypatch.setattr(smtplib, "SMTP", PostOffice)
    use(replace(chosen_settings, mail_url=url))
    write()
    run_until_idle()
    assert PostOffice.acts == ([*said, f"send <{the_mail().id}@larkmill.example>", "quit"],)
    assert letters() == []
    assert the_mail().sent_at is not None
