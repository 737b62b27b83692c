"""Settings come from the environment, are read once, and are refused when they are unsafe.

In development everything has a working default below `var/`. In production (`SHOP_ENV=production`)
a missing or weak secret, or a card-payment set-up that is not the real one, stops the start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LANGUAGES = ("en", "zh")
ENVIRONMENTS = ("development", "test", "production")
STRIPE_API = "https://api.stripe.com"


class UnsafeSettings(RuntimeError):
    """The process must not start with these settings."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between one installation and another."""

    env: str = "development"
    database_url: str = field(default="sqlite:///var/shop.db", repr=False)
    secret_key: str = field(default="development-only", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    var_dir: Path = Path("var")
    stripe_api_key: str = field(default="", repr=False)
    stripe_api_base: str = STRIPE_API
    stripe_webhook_secret: str = field(default="", repr=False)
    mail_url: str = field(default="", repr=False)
    """`smtp://user:password@host:port`; empty: messages are written to `var/mail`."""
    mail_from: str = "Larkmill <orders@larkmill.example>"
    operations_mail: str = "operations@larkmill.example"
    """Who gets a letter for every alert that opens."""
    rate_limits: bool = True
    rate_limit_storage: str = field(default="", repr=False)
    """Where tries are counted, as an address of the limits library: `redis://…`, `memory://`; empty: in the memory of each web worker."""
    web_workers: int = 2
    """How many processes serve pages, as gunicorn is told."""

    @property
    def production(self) -> bool:
        """True where real customers pay real money."""
        return self.env == "production"

    @property
    def test_mode(self) -> bool:
        """True while no real card is ever charged: every page says so."""
        return not self.stripe_api_key.startswith(("sk_live_", "rk_live_"))

    def checked(self) -> Settings:
        """Return self. Raises UnsafeSettings for what must not run in production."""
        if self.env not in ENVIRONMENTS:
            raise UnsafeSettings(f"SHOP_ENV is {self.env!r}; it must be one of {', '.join(ENVIRONMENTS)}")
        wrong = self._unsafe() if self.production else ()
        for variable, unsafe, reason in wrong:
            if unsafe:
                raise UnsafeSettings(f"{variable} {reason}")
        return self

    def _unsafe(self) -> tuple[tuple[str, bool, str], ...]:
        """What production asks of each variable: its name, whether it is unsafe, what to do about it."""
        weak = len(self.secret_key) < 32 or len(set(self.secret_key)) < 10
        base = urlsplit(self.base_url)
        nobody = "must be the address of somebody who is told when something is wrong"
        apart = self.web_workers > 1 and not self.rate_limit_storage
        return (
            ("SHOP_SECRET_KEY", weak, "must be 32 random characters or more in production"),
            ("STRIPE_API_KEY", self.test_mode, "must be a live key: production needs a real payment provider"),
            ("STRIPE_API_BASE", self.stripe_api_base != STRIPE_API, "must be Stripe's own address in production"),
            ("STRIPE_WEBHOOK_SECRET", not self.stripe_webhook_secret, "is missing: webhooks could not be verified"),
            ("SHOP_BASE_URL", base.scheme != "https" or not base.hostname, "must be an https:// address in production"),
            ("SHOP_MAIL_URL", not self.mail_url, "is missing: no customer would get a letter"),
            ("SHOP_OPERATIONS_MAIL", "@" not in self.operations_mail or self.operations_mail.endswith(".example"), nobody),
            ("SHOP_RATE_LIMITS", not self.rate_limits, "must not be off in production: passwords could be guessed"),
            ("SHOP_RATE_LIMIT_STORAGE", apart, "is missing: several web workers would each count tries by themselves"),
        )


def from_environment(env: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings. Raises UnsafeSettings."""
    default = Settings()
    return Settings(
        env=env.get("SHOP_ENV", default.env),
        database_url=env.get("SHOP_DATABASE_URL", default.database_url),
        secret_key=env.get("SHOP_SECRET_KEY", default.secret_key),
        base_url=env.get("SHOP_BASE_URL", default.base_url).rstrip("/"),
        var_dir=Path(env.get("SHOP_VAR_DIR", str(default.var_dir))),
        stripe_api_key=env.get("STRIPE_API_KEY", ""),
        stripe_api_base=env.get("STRIPE_API_BASE", STRIPE_API).rstrip("/"),
        stripe_webhook_secret=env.get("STRIPE_WEBHOOK_SECRET", ""),
        mail_url=env.get("SHOP_MAIL_URL", ""),
        mail_from=env.get("SHOP_MAIL_FROM", default.mail_from),
        operations_mail=env.get("SHOP_OPERATIONS_MAIL", default.operations_mail),
        rate_limits=env.get("SHOP_RATE_LIMITS", "on") != "off",
        rate_limit_storage=env.get("SHOP_RATE_LIMIT_STORAGE", ""),
        web_workers=_count(env, "SHOP_WEB_WORKERS", default.web_workers),
    ).checked()


def _count(env: Mapping[str, str], variable: str, default: int) -> int:
    told = env.get(variable, "") or str(default)
    if not (told.isascii() and told.isdigit() and int(told) > 0):
        raise UnsafeSettings(f"{variable} must be a whole number from 1")
    return int(told)


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of the process (create_app and the tests do)."""
    global _current  # noqa: PLW0603 - the one place that holds them
    _current = settings


def settings() -> Settings:
    """The settings of this process, read from the environment on first use."""
    if _current is None:
        use(from_environment())
    assert _current is not None
    return _current
