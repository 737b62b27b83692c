"""Signing up and in, resetting a password, the address book, and who works here."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fulfillment.customers import letters
from fulfillment.customers.address import Address
from fulfillment.customers.models import Account, EndedVisit, PasswordReset, SavedAddress, Staff
from fulfillment.customers.passwords import hashed, matches
from fulfillment.customers.roles import ROLES, permissions_of
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import insert, lock, reading
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import enqueue
from fulfillment.kernel.mail import send_mail
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal
from fulfillment.kernel.web import Principal

RESET_LASTS = timedelta(minutes=30)
RESET_PAUSE = timedelta(minutes=2)
"""Within it a second press of the button writes no second letter."""
COOKIE_LASTS = timedelta(days=32)
"""A day longer than Flask lets a session's cookie live."""
BOOK_HOLDS = 50


class WrongCredentials(Refusal):
    """E-mail or password is wrong: one answer for both."""

    status = 401


def sign_up(session: Session, *, email: str, password: str, name: str, locale: str = "en", phone: str = "") -> Account | None:
    """Open an account and greet its owner.

    An address that has an account already gets a letter saying so, and None is returned: the page
    answers alike, so nobody learns who our customers are. Raises WeakPassword.
    """
    email = email.strip().lower()
    password_hash = hashed(password)
    account = Account(email=email, password_hash=password_hash, name=name.strip(), phone=phone, locale=locale, created_at=now())
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:
        _tell_owner(session, session.scalars(sa.select(Account).filter_by(email=email)).one())
        return None
    letter = letters.welcome(account.name, locale)
    send_mail(session, to=email, key=f"welcome:{account.id}", subject=letter.subject, text=letter.text)
    return account


def _tell_owner(session: Session, known: Account) -> None:
    """Somebody wants a second account with this address; once an hour, and not right after the first was opened."""
    if known.created_at < now() - RESET_PAUSE:
        letter = letters.already_signed_up(known.locale)
        key = f"already-signed-up:{known.id}:{now():%Y%m%d%H}"
        send_mail(session, to=known.email, key=key, subject=letter.subject, text=letter.text)


def check_credentials(session: Session, *, email: str, password: str) -> Account:
    """The account of this e-mail and password. Raises WrongCredentials, taking equally long for a stranger."""
    account = session.scalars(sa.select(Account).filter_by(email=email.strip().lower())).first()
    if not matches(account.password_hash if account else None, password) or account is None:
        raise WrongCredentials("E-mail or password is wrong.")
    return account


def request_reset(session: Session, *, email: str, link: str) -> None:
    """Have a link mailed to choose a new password.

    Whether the address is known is looked up by a job, so that asking takes as long for a stranger.
    `link` holds `{token}` where the secret goes.
    """
    enqueue(session, "customers.mail_reset", key=f"reset:{secret_token()}", email=email.strip().lower(), link=link)


def mail_reset(session: Session, *, email: str, link: str) -> None:
    """Write the letter with the link, if there is such an account and no letter was written just now."""
    account = session.scalars(lock(sa.select(Account).filter_by(email=email))).first()
    just_now = now() + RESET_LASTS - RESET_PAUSE
    if account is None or session.scalars(_open_resets(account.id).where(PasswordReset.expires_at > just_now)).first() is not None:
        return
    token = secret_token(24)
    session.add(PasswordReset(account_id=account.id, token_hash=_digest(token), expires_at=now() + RESET_LASTS))
    letter = letters.reset(link.replace("{token}", token), account.locale)
    send_mail(session, to=account.email, key=f"reset:{_digest(token)}", subject=letter.subject, text=letter.text)


def _open_resets(account_id: UUID) -> sa.Select[PasswordReset]:
    return sa.select(PasswordReset).filter_by(account_id=account_id, used_at=None)


def find_reset(session: Session, token: str) -> PasswordReset:
    """The letter that a link came in, while it is good. Raises NotFound."""
    wanted = sa.select(PasswordReset).filter_by(token_hash=_digest(token)).execution_options(populate_existing=True)
    reset = session.scalars(wanted).first()
    if reset is None or reset.used_at is not None or reset.expires_at < now():
        raise NotFound("This link has expired or was used already. Please ask for a new one.")
    return reset


def reset_password(session: Session, *, token: str, password: str) -> Account:
    """Set a new password by a mailed link; ends every session of the account. Raises NotFound, WeakPassword."""
    account = session.scalars(lock(sa.select(Account).filter_by(id=find_reset(session, token).account_id))).one()
    find_reset(session, token)  # once more, now that nobody else can use it
    _set_password(session, account, password)
    return account


def change_password(session: Session, account_id: UUID, *, old: str, new: str) -> Account:
    """Change the password of somebody who knows the old one; ends every other session. Raises WrongCredentials, WeakPassword."""
    account = session.scalars(lock(sa.select(Account).filter_by(id=account_id))).one()
    if not matches(account.password_hash, old):
        if matches(account.password_hash, new):
            return account  # the form was sent twice
        raise WrongCredentials("The old password is wrong.")
    _set_password(session, account, new)
    return account


def _set_password(session: Session, account: Account, password: str) -> None:
    """End with the old password whatever it opened: sessions, and letters that are still on their way."""
    account.password_hash = hashed(password)
    account.epoch += 1
    session.execute(sa.update(PasswordReset).filter_by(account_id=account.id, used_at=None).values(used_at=now()))


def end_visit(session: Session, visit: str) -> None:
    """Somebody signed out: every copy of the session's cookie is void."""
    if visit:
        session.execute(insert(session, EndedVisit).values(visit=visit, at=now()).on_conflict_do_nothing())


def forget_ended_visits(session: Session) -> None:
    """Forget those whose cookies have expired by themselves."""
    session.execute(sa.delete(EndedVisit).where(EndedVisit.at < now() - COOKIE_LASTS))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def change_details(session: Session, account_id: UUID, *, name: str, phone: str, locale: str) -> Account:
    """How we call and reach the customer."""
    account = session.scalars(lock(sa.select(Account).filter_by(id=account_id))).one()
    account.name, account.phone, account.locale = name.strip(), phone.strip(), locale
    return account


def get_account(session: Session, account_id: UUID) -> Account:
    """The account of somebody who is signed in."""
    return session.scalars(sa.select(Account).filter_by(id=account_id)).one()


def addresses_of(session: Session, account_id: UUID) -> list[SavedAddress]:
    """The customer's address book, oldest first."""
    book = sa.select(SavedAddress).filter_by(account_id=account_id).order_by(SavedAddress.created_at, SavedAddress.id)
    return list(session.scalars(book))


def save_address(session: Session, account_id: UUID, address: Address, label: str = "") -> SavedAddress:
    """Put an address into the book; the same one twice is kept once."""
    session.execute(lock(sa.select(Account.id).filter_by(id=account_id)))  # one at a time reads the book and writes into it
    book = addresses_of(session, account_id)
    for saved in book:
        if saved.address == address.to_json():
            return saved
    if len(book) >= BOOK_HOLDS:
        raise Refusal("Your address book is full. Please remove an address first.")
    saved = SavedAddress(account_id=account_id, label=label, address=address.to_json(), created_at=now())
    session.add(saved)
    session.flush()
    return saved


def remove_address(session: Session, account_id: UUID, address_id: UUID) -> None:
    """Take an address out of the customer's own book. Raises NotFound, also for somebody else's."""
    result = session.execute(sa.delete(SavedAddress).filter_by(id=address_id, account_id=account_id).returning(SavedAddress.id))
    if result.first() is None:
        raise NotFound("There is no such address in your book.")


def hire(session: Session, *, login: str, badge: str, password: str, name: str, role: str) -> Staff:
    """Somebody starts working here.

    Raises Refusal for a role that does not exist, Conflict for a login or badge that is taken, WeakPassword.
    """
    if role not in ROLES:
        raise Refusal("There is no role {role}.", role=role)
    login, badge = login.strip().lower(), badge.strip()
    if session.scalars(sa.select(Staff).filter_by(login=login)).first() is not None:
        raise Conflict("Somebody has the login {login} already.", login=login)
    if session.scalars(sa.select(Staff).filter_by(badge=badge)).first() is not None:
        raise Conflict("Somebody has the badge {badge} already.", badge=badge)
    staff = Staff(login=login, badge=badge, password_hash=hashed(password), name=name.strip(), role=role)
    session.add(staff)
    session.flush()
    return staff


def set_staff_password(session: Session, login: str, password: str) -> Staff:
    """Give a member of staff a new password; ends every session of theirs. Raises NotFound, WeakPassword."""
    staff = _working(session, login)
    staff.password_hash = hashed(password)
    staff.epoch += 1
    return staff


def dismiss(session: Session, login: str) -> Staff:
    """Somebody leaves: no password and no badge opens anything any more, and sessions end at once. Raises NotFound."""
    staff = _working(session, login)
    staff.active = False
    staff.epoch += 1
    return staff


def _working(session: Session, login: str) -> Staff:
    staff = session.scalars(lock(sa.select(Staff).filter_by(login=login.strip().lower(), active=True))).first()
    if staff is None:
        raise NotFound("Nobody works here with the login {login}.", login=login)
    return staff


def everybody(session: Session) -> list[Staff]:
    """Who works here, and who did."""
    return list(session.scalars(sa.select(Staff).order_by(Staff.active.desc(), Staff.login)))


def check_staff(session: Session, *, login: str, password: str) -> Staff:
    """The member of staff of this login. Raises WrongCredentials."""
    staff = session.scalars(sa.select(Staff).filter_by(login=login.strip().lower(), active=True)).first()
    if not matches(staff.password_hash if staff else None, password) or staff is None:
        raise WrongCredentials("Login or password is wrong.")
    return staff


def staff_of_badge(session: Session, badge: str) -> Staff:
    """Who scanned this badge. Raises NotFound."""
    staff = session.scalars(sa.select(Staff).filter_by(badge=badge.strip(), active=True)).first()
    if staff is None:
        raise NotFound("This badge is not known.")
    return staff


def account_principal(account: Account) -> Principal:
    """The account as the one who asks."""
    return Principal("account", str(account.id), account.name, account.email, epoch=account.epoch)


def staff_principal(staff: Staff) -> Principal:
    """The member of staff as the one who asks."""
    return Principal("staff", str(staff.id), staff.name, permissions=permissions_of(staff.role), epoch=staff.epoch)


def load_principal(kind: str, who: str, epoch: int, visit: str) -> Principal | None:
    """The person of a session cookie; None when the session is void."""
    ended = sa.exists().where(EndedVisit.visit == visit)
    with reading() as session:
        if kind == "account":
            account = session.scalars(sa.select(Account).filter_by(id=UUID(who), epoch=epoch).where(~ended)).first()
            return account_principal(account) if account is not None else None
        staff = session.scalars(sa.select(Staff).filter_by(id=UUID(who), epoch=epoch, active=True).where(~ended)).first()
        return staff_principal(staff) if staff is not None else None
