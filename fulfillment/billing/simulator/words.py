"""The words on the provider's own pages, in the two languages the shop speaks.

The simulator stands for a foreign system with its own texts, so they are not part of the shop's catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = {
    "lang": "en",
    "test_mode": "TEST MODE – no real card is charged",
    "pay_title": "Pay Larkmill",
    "pay": "Pay %(amount)s",
    "hold": "Authorise %(amount)s",
    "order": "Your order",
    "reference": "Reference %(reference)s",
    "quantity": "Quantity %(count)s",
    "each": "%(price)s each",
    "total": "Total",
    "card_details": "Card details",
    "email": "E-mail",
    "name": "Name on card",
    "number": "Card number",
    "expiry": "Expiry (MM/YY)",
    "cvc": "Security code",
    "back": "Back to the shop",
    "problem": "The payment was not made",
    "cards": "Cards for testing",
    "cards_note": "Any expiry date in the future and any three digits will do.",
    "card_pays": "pays",
    "card_declined_hint": "is declined",
    "card_funds": "has insufficient funds",
    "card_expired_hint": "counts as expired",
    "card_cvc_hint": "fails the security code check",
    "card_authenticates": "asks for 3-D Secure",
    "card_disputes": "pays, and is disputed at once",
    "paid_title": "This order is paid",
    "paid_text": "Nothing more is to be done here.",
    "to_shop": "Return to the shop",
    "expired_title": "This page has expired",
    "expired_text": "No money was taken. Go back to the shop to pay again.",
    "gone_title": "There is no such page",
    "gone_text": "The address is wrong, or the payment belongs to another account.",
    "secure_title": "Confirm it is you",
    "secure_text": (
        "This is the 3-D Secure test page of the bank. It asks whether you want to pay %(amount)s with the card"
        " ending in %(last4)s."
    ),
    "secure_pass": "Complete authentication",
    "secure_fail": "Fail authentication",
    "bad_email": "Enter an e-mail address, for example name@example.com.",
    "card_declined": "Your card was declined. Please try another card.",
    "insufficient_funds": "Your card has insufficient funds. Please try another card.",
    "expired_card": "Your card has expired. Please try another card.",
    "incorrect_cvc": "Your card’s security code is incorrect.",
    "processing_error": "Your card could not be processed. Wait a moment and try again.",
    "incorrect_number": "Your card number is incorrect.",
    "invalid_expiry_month": "Enter the expiry date as month and year, for example 12/34.",
    "invalid_expiry_year": "Your card’s expiry date is in the past.",
    "invalid_cvc": "Your card’s security code is incomplete.",
    "authentication_required": "Your bank wants to see you confirm this payment.",
    "payment_intent_authentication_failure": "You were not authenticated. Try again or use another card.",
}

CHINESE = {
    "lang": "zh-CN",
    "test_mode": "测试模式 – 不会向真实银行卡扣款",
    "pay_title": "向云雀工坊付款",
    "pay": "支付 %(amount)s",
    "hold": "预授权 %(amount)s",
    "order": "您的订单",
    "reference": "编号 %(reference)s",
    "quantity": "数量 %(count)s",
    "each": "单价 %(price)s",
    "total": "合计",
    "card_details": "银行卡信息",
    "email": "电子邮箱",
    "name": "持卡人姓名",
    "number": "卡号",
    "expiry": "有效期（月/年）",
    "cvc": "安全码",
    "back": "返回商店",
    "problem": "付款未完成",
    "cards": "测试卡",
    "cards_note": "有效期填写任意未来日期，安全码填写任意三位数字即可。",
    "card_pays": "支付成功",
    "card_declined_hint": "被拒绝",
    "card_funds": "余额不足",
    "card_expired_hint": "视为已过期",
    "card_cvc_hint": "安全码校验失败",
    "card_authenticates": "需要 3-D Secure 验证",
    "card_disputes": "支付成功，随即发生争议",
    "paid_title": "此订单已付款",
    "paid_text": "您无需再进行任何操作。",
    "to_shop": "返回商店",
    "expired_title": "此页面已过期",
    "expired_text": "未扣取任何款项。请返回商店重新付款。",
    "gone_title": "页面不存在",
    "gone_text": "地址有误，或该付款属于其他账户。",
    "secure_title": "请确认是您本人",
    "secure_text": "这是银行的 3-D Secure 测试页面：是否使用尾号 %(last4)s 的银行卡支付 %(amount)s？",
    "secure_pass": "完成验证",
    "secure_fail": "验证失败",
    "bad_email": "请输入电子邮箱，例如 name@example.com。",
    "card_declined": "您的银行卡被拒绝，请使用其他银行卡。",
    "insufficient_funds": "您的银行卡余额不足，请使用其他银行卡。",
    "expired_card": "您的银行卡已过期，请使用其他银行卡。",
    "incorrect_cvc": "银行卡安全码不正确。",
    "processing_error": "暂时无法处理您的银行卡，请稍后重试。",
    "incorrect_number": "银行卡卡号不正确。",
    "invalid_expiry_month": "请按“月/年”填写有效期，例如 12/34。",
    "invalid_expiry_year": "银行卡有效期已过。",
    "invalid_cvc": "银行卡安全码不完整。",
    "authentication_required": "您的银行要求您确认此次付款。",
    "payment_intent_authentication_failure": "未通过身份验证，请重试或使用其他银行卡。",
}

TEST_CARDS = (
    ("4242 4242 4242 4242", "card_pays"),
    ("5555 5555 5555 4444", "card_pays"),
    ("4000 0000 0000 0002", "card_declined_hint"),
    ("4000 0000 0000 9995", "card_funds"),
    ("4000 0000 0000 0069", "card_expired_hint"),
    ("4000 0000 0000 0127", "card_cvc_hint"),
    ("4000 0025 0000 3155", "card_authenticates"),
    ("4000 0000 0000 3220", "card_authenticates"),
    ("4000 0000 0000 0259", "card_disputes"),
)
"""Numbers offered as hints, and the word for what each does."""

_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cny": "CN¥", "hkd": "HK$", "cad": "CA$", "aud": "A$"}


def words(wanted: str | None, accepted: str | None) -> Mapping[str, str]:
    """The language of a page: the session's `locale`, or else the browser's first choice of the two."""
    for tag in (wanted or "auto", *(accepted or "").split(",")):
        language = tag.split(";")[0].strip().lower().split("-")[0]
        if language == "zh":
            return CHINESE
        if language == "en":
            return ENGLISH
    return ENGLISH


def price(minor: int, currency: str, language: str) -> str:
    """An amount in the smallest unit of its currency as people read it: `$1,299.00`, in Chinese `US$1,299.00`."""
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    if language.startswith("zh") and currency == "usd":
        sign = "US$"
    if currency == "jpy":
        return f"{sign}{minor:,}"
    whole, rest = divmod(minor, 100)
    return f"{sign}{whole:,}.{rest:02d}"
