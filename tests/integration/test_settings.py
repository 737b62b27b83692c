"""Production does not start with what would be unsafe in it; what works on a desk needs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulfillment.kernel.settings import Settings, UnsafeSettings, from_environment

SAFE = {
    "SHOP_ENV": "production", "SHOP_SECRET_KEY": "q8Zr1vXw5tKp2mNc7bLd4sHg9yJf3aTe", "SHOP_BASE_URL": "https://shop.example/",
    "SHOP_DATABASE_URL": "postgresql+psycopg://shop:hushhush@db/shop", "STRIPE_API_KEY": "sk_live_suite",
    "STRIPE_WEBHOOK_SECRET": "whsec_suite",
    "SHOP_OPERATIONS_MAIL": "night@shop.test", "SHOP_MAIL_URL": "smtp+tls://user:word@mail.example:587",
    "SHOP_RATE_LIMIT_STORAGE": "redis://:quiet@cache/0",
}


def test_production_starts_with_safe_settings() -> None:
    chosen = from_environment(SAFE)
    assert chosen.production
    assert not chosen.test_mode
    assert chosen.base_url == "https://shop.example"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SHOP_SECRET_KEY", ""), ("SHOP_SECRET_KEY", "development-only"), ("SHOP_SECRET_KEY", "short-but-random-8Zr1vXw5"),
        ("SHOP_SECRET_KEY", "a" * 64), ("SHOP_SECRET_KEY", "changeme" * 8), ("SHOP_BASE_URL", "http://shop.example"),
        ("SHOP_BASE_URL", "shop.example"), ("SHOP_BASE_URL", "https://"), ("STRIPE_API_KEY", ""), ("STRIPE_API_KEY", "sk_test_suite"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111"), ("STRIPE_API_BASE", "https://api.stripe.com.evil.example"),
        ("STRIPE_WEBHOOK_SECRET", ""), ("SHOP_MAIL_URL", ""), ("SHOP_OPERATIONS_MAIL", ""),
        ("SHOP_OPERATIONS_MAIL", "night@shop.example"), ("SHOP_RATE_LIMITS", "off"),
        ("SHOP_RATE_LIMIT_STORAGE", ""), ("SHOP_WEB_WORKERS", "many"), ("SHOP_WEB_WORKERS", "0"),
    ],
)
def test_production_does_not_start_with_an_unsafe_one_and_names_it(variable: str, value: str) -> None:
    with pytest.raises(UnsafeSettings, match=variable):
        from_environment({**SAFE, variable: value})


@pytest.mark.parametrize("variable", sorted(set(SAFE) - {"SHOP_ENV", "SHOP_DATABASE_URL"}))
def test_production_does_not_start_with_a_missing_one(variable: str) -> None:
    with pytest.raises(UnsafeSettings, match=variable):
        from_environment({name: value for name, value in SAFE.items() if name != variable})


@pytest.mark.parametrize("env", ["", "prod", "Production", "staging", "production "])
def test_an_environment_we_do_not_know_is_not_taken_for_a_desk(env: str) -> None:
    with pytest.raises(UnsafeSettings, match="SHOP_ENV"):
        from_environment({**SAFE, "SHOP_ENV": env})


@pytest.mark.parametrize(("workers", "storage"), [("1", ""), ("8", "memory://"), ("8", "redis://cache")])
def test_production_counts_tries_in_one_place_unless_told_otherwise(workers: str, storage: str) -> None:
    chosen = from_environment({**SAFE, "SHOP_WEB_WORKERS": workers, "SHOP_RATE_LIMIT_STORAGE": storage})
    assert (chosen.web_workers, chosen.rate_limit_storage) == (int(workers), storage)


def test_a_refusal_does_not_tell_the_secret() -> None:
    with pytest.raises(UnsafeSettings) as refused:
        from_environment({**SAFE, "SHOP_SECRET_KEY": "hunter2hunter2"})
    assert "hunter2" not in str(refused.value)


def test_secrets_are_not_written_out_with_the_rest() -> None:
    shown = repr(from_environment(SAFE))
    kept = ("SHOP_SECRET_KEY", "SHOP_DATABASE_URL", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "SHOP_MAIL_URL", "SHOP_RATE_LIMIT_STORAGE")
    assert [secret for secret in kept if SAFE[secret] in shown] == []


def test_a_desk_needs_no_settings_and_charges_no_card() -> None:
    chosen = from_environment({})
    assert chosen == Settings()
    assert chosen.test_mode
    assert not chosen.production
    assert chosen.rate_limits
    assert chosen.var_dir == Path("var")


@pytest.mark.parametrize(
    ("key", "test_mode"), [("", True), ("sk_test_1", True), ("sk_live_1", False), ("rk_live_1", False), ("pk_live_1", True)]
)
def test_every_page_says_so_while_no_real_card_is_charged(key: str, *, test_mode: bool) -> None:
    assert Settings(stripe_api_key=key).test_mode is test_mode
