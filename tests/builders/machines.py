"""Small models for tests: built from values, or as the text of a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from configurator.language.conditions import parse_condition
from configurator.language.specification import Group, Model, Option, PartSpec, Rule, SumOf, Text, Value
from fulfillment.kernel.money import Money

_hashes = iter(range(10**9))


def text(word: str) -> Text:
    return {"en": word, "zh": f"{word}。"}


def make_part(sku: str, *, qty: int = 1, cost: int = 1000, weight_g: int = 100, service: bool = False) -> PartSpec:
    return PartSpec(
        sku=sku,
        name=text(sku),
        qty=qty,
        kind="service" if service else "hardware",
        serialised=not service,
        cost=Money(cost),
        weight_g=weight_g,
        supplier="S-ONE",
        lead_days=3,
    )


def make_option(option_id: str, price: int = 0, *, sku: str | None = None, qty: int = 1, **attributes: Value) -> Option:
    """An option; `price` in cents. Without a SKU it is "none"."""
    parts = (make_part(sku, qty=qty),) if sku else ()
    pieces = qty if sku else 0
    return Option(option_id, text(option_id), None, Money(price), qty, parts, {**attributes, "qty": pieces})


def make_group(group_id: str, *options: Option, many: bool = False, default: Sequence[str] | None = None) -> Group:
    """A group; its default is the first option, or nothing for a "many" group."""
    first = () if many else (options[0].id,)
    chosen = first if default is None else tuple(default)
    return Group(group_id, text(group_id), None, None, "many" if many else "one", chosen, options)


def make_rule(rule_id: str, require: str, *, when: str | None = None) -> Rule:
    condition = parse_condition(when) if when is not None else None
    return Rule(rule_id, "ours", condition, parse_condition(require), text(f"because of {rule_id}"))


def make_model(
    groups: Sequence[Group],
    rules: Sequence[Rule] = (),
    *,
    base_price: int = 50_000,
    base: Mapping[str, Value] | None = None,
    sums: Mapping[str, SumOf] | None = None,
) -> Model:
    """A model of its own content hash; its default may break rules, unlike that of a file."""
    return Model(
        id="test-box",
        family="desktop",
        name=text("Test box"),
        tagline=text("tagline"),
        summary=text("summary"),
        base=make_part("BSE-TEST", cost=20_000, weight_g=5_000),
        base_price=Money(base_price),
        base_attributes=base or {},
        build_days=2,
        picture="test.svg",
        unspsc="43211507",
        facts=(),
        sums=sums or {},
        groups=tuple(groups),
        rules=tuple(rules),
        content_hash=f"test-{next(_hashes)}",
    )


def half(number: int) -> Decimal:
    """Half of a whole number, exactly."""
    return Decimal(number) / 2


SHEET = """\
[model]
id = "test-box"
family = "desktop"
name = { en = "Test box", zh = "测试机" }
tagline = { en = "A box", zh = "一台机器" }
summary = { en = "A box for tests.", zh = "测试用的机器。" }
base_sku = "BSE-TEST"
base_price = "500.00"
base_cost = "200.00"
base_weight_g = 5000
base_lead_days = 4
base_supplier = "S-CHASSIS"
base.watts = 30
build_days = 2
picture = "test.svg"
unspsc = "43211507"

[[model.fact]]
label = { en = "Form", zh = "外形" }
value = { en = "Tower", zh = "塔式" }

[sums]
power = "sum of watts"

[[group]]
id = "cpu"
name = { en = "Processor", zh = "处理器" }
kind = "one"
default = "c8"

[[group.option]]
id = "c8"
name = { en = "8 cores", zh = "8 核" }
sku = "CPU-8"
price = "0.00"
cost = "90.00"
weight_g = 20
supplier = "S-SIL"
lead_days = 4
watts = 65
socket = "A"

[[group.option]]
id = "c16"
name = { en = "16 cores", zh = "16 核" }
sku = "CPU-16"
price = "200.00"
cost = "180.00"
weight_g = 20
supplier = "S-SIL"
lead_days = 6
watts = 125
socket = "B"
ecc = true

[[group]]
id = "memory"
name = { en = "Memory", zh = "内存" }
help = { en = "More is faster.", zh = "越大越快。" }
default = "m32"

[[group.option]]
id = "m32"
name = { en = "2 × 16 GB", zh = "2 × 16 GB" }
sku = "DIMM-16"
part_name = { en = "16 GB module", zh = "16 GB 内存条" }
qty = 2
price = "100.00"
cost = "30.00"
weight_g = 40
supplier = "S-MEM"
lead_days = 2
gb = 16
watts = 2.5

[[group.option]]
id = "m64"
name = { en = "4 × 16 GB", zh = "4 × 16 GB" }
sku = "DIMM-16"
qty = 4
price = "190.00"
cost = "30.00"
weight_g = 40
supplier = "S-MEM"
lead_days = 2
gb = 16
watts = 2.5

[[group]]
id = "extras"
name = { en = "Extras", zh = "附件" }
kind = "many"
default = ["care"]
option = [
  # a comment, and tables in one line
  { id = "care", name = { en = "On-site care", zh = "上门服务" }, sku = "CARE", kind = "service", price = "80.00", cost = "40.00" },
  { id = "none", name = { en = "No mouse", zh = "无鼠标" } },
]

[[rule]]
id = "power"
source = "D15"
require = "sum(power) * 1.2 <= 195"
reason = { en = "The power supply gives 195 W.", zh = "电源功率为 195 瓦。" }

[[rule]]
id = "care-for-sixteen"
source = "ours"
when = "cpu is c16 and memory.gb * memory.qty >= 32"
require = "extras has care"
reason = { en = "Such a machine comes with care.", zh = "该配置须含服务。" }
"""


def line_of(sheet: str, part: str) -> int:
    """The line of the first appearance of a part of a sheet."""
    return sheet[: sheet.index(part)].count("\n") + 1
