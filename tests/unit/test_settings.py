"""Settings are read from the environment, and refused where they would be unsafe."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulfillment.kernel.settings import UnsafeSettings, from_environment

SAFE = {
    "SHOP_ENV": "production", "SHOP_SECRET_KEY": "Zk3vQ9xT1mB7nR5wL8cY2hD6fJ4gP0sA",
    "SHOP_BASE_URL": "https://larkmill.example", "STRIPE_API_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1", "SHOP_DATABASE_URL": "postgresql+psycopg://shop@/shop", "SHOP_VAR_DIR": "/srv/shop",
    "SHOP_OPERATIONS_MAIL": "night@shop.test", "SHOP_MAIL_URL": "smtp+tls://shop:letters-secret@mail.example",
    "SHOP_RATE_LIMIT_STORAGE": "redis://cache.example",
}


def test_nothing_set_is_a_development_house_below_var() -> None:
    found = from_environment({})
    assert (found.env, found.database_url, found.var_dir, found.rate_limits) == ("development", "sqlite:///var/shop.db", Path("var"), True)
    assert found.test_mode
    assert not found.production


def test_a_production_house_with_real_secrets_starts() -> None:
    found = from_environment(SAFE)
    assert found.production
    assert not found.test_mode
    assert (found.var_dir, found.base_url) == (Path("/srv/shop"), "https://larkmill.example")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SHOP_SECRET_KEY": "development-only"}, "SHOP_SECRET_KEY"), ({"SHOP_SECRET_KEY": "k" * 64}, "SHOP_SECRET_KEY"),
        ({"SHOP_SECRET_KEY": SAFE["SHOP_SECRET_KEY"][1:]}, "SHOP_SECRET_KEY"), ({"SHOP_MAIL_URL": ""}, "SHOP_MAIL_URL"),
        ({"SHOP_RATE_LIMITS": "off"}, "SHOP_RATE_LIMITS"), ({"SHOP_BASE_URL": "https://"}, "SHOP_BASE_URL"),
        ({"STRIPE_API_KEY": ""}, "STRIPE_API_KEY"), ({"STRIPE_API_KEY": "sk_test_1"}, "STRIPE_API_KEY"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:9"}, "STRIPE_API_BASE"), ({"SHOP_BASE_URL": "http://larkmill.example"}, "SHOP_BASE_URL"),
    ],
)
def test_an_unsafe_production_house_does_not_start(changed: dict[str, str], named: str) -> None:
    with pytest.raises(UnsafeSettings, match=named):
        from_environment({**SAFE, **changed})


@pytest.mark.parametrize(("key", "test_mode"), [("", True), ("sk_test_1", True), ("sk_live_1", False), ("rk_live_1", False)])
def test_a_test_key_is_told_from_a_live_one(key: str, test_mode: bool) -> None:
    assert from_environment({"STRIPE_API_KEY": key}).test_mode is test_mode


def test_secrets_are_not_in_what_is_printed_of_the_settings() -> None:
    printed = repr(from_environment(SAFE))
    secret = ("SHOP_SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "SHOP_DATABASE_URL", "SHOP_MAIL_URL")
    assert all(SAFE[name] not in printed for name in secret)


def test_an_environment_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnsafeSettings, match="SHOP_ENV"):
        from_environment({"SHOP_ENV": "prod"})


def test_a_slash_at_the_end_of_an_address_is_left_out() -> None:
    found = from_environment({"SHOP_BASE_URL": "http://127.0.0.1:8000/", "STRIPE_API_BASE": "http://127.0.0.1:9/"})
    assert (found.base_url, found.stripe_api_base) == ("http://127.0.0.1:8000", "http://127.0.0.1:9")
