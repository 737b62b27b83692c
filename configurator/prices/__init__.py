"""What a machine costs for whom: price books, agreements, promotions, and offers that ease a shortage.

`lists`, `discounts` and `shaping` are pure: values in, prices and the rule that won out. `service` fetches the
values and keeps what was worked out; `editing` is what staff do to them; `uses` counts promotions with limits.
"""
