"""Model files for tests of the language: a small sheet, and groups to put behind it."""

from __future__ import annotations

import pytest

from configurator.language import ModelError, read_model_text
from configurator.language.specification import Model

HEAD = """\
[model]
id = "box"
family = "desktop"
name = { en = "Box", zh = "盒子" }
tagline = { en = "A box", zh = "一台机器" }
summary = { en = "A box for tests.", zh = "测试用的机器。" }
base_sku = "BSE-BOX"
base_price = "500.00"
base_cost = "200.00"
base_weight_g = 5000
base_lead_days = 4
base_supplier = "S-CHASSIS"
build_days = 2
picture = "box.svg"
unspsc = "43211507"
"""
BOTH = '{ en = "Because.", zh = "因为。" }'
NAME = '{ en = "A name", zh = "名称" }'


def option(option_id: str, price: int = 0, extra: str = "") -> str:
    """One option in a line; `price` in whole dollars, `extra` more keys."""
    name = f'name = {{ en = "{option_id.upper()}", zh = "选项{option_id}" }}'
    return f'{{ id = "{option_id}", {name}, price = "{price}.00"{", " * bool(extra)}{extra} }}'


def group(group_id: str, *options: str, keys: str = "") -> str:
    """One group; its default is the first option unless `keys` says otherwise."""
    first = options[0].split('"')[1] if options else ""
    default = "" if "default =" in keys or "kind =" in keys or "when =" in keys else f'default = "{first}"\n'
    listed = f"option = [{', '.join(options)}]\n" if options else ""
    return f'[[group]]\nid = "{group_id}"\nname = {{ en = "{group_id.title()}", zh = "组{group_id}" }}\n{default}{keys}\n{listed}'


def rule(rule_id: str, require: str, when: str = "") -> str:
    """One rule."""
    condition = f'when = "{when}"\n' if when else ""
    return f'[[rule]]\nid = "{rule_id}"\nsource = "ours"\n{condition}require = "{require}"\nreason = {BOTH}\n'


def sheet(*parts: str) -> str:
    """A whole file."""
    return "\n".join([HEAD, *parts])


def model(*parts: str) -> Model:
    """A model read from a file with these parts."""
    return read_model_text(sheet(*parts), "box.toml")


def refusals(*parts: str) -> list[str]:
    """What is wrong with such a file: the words of every problem."""
    with pytest.raises(ModelError) as refused:
        model(*parts)
    return [problem.message for problem in refused.value.problems]


def refusal(*parts: str) -> str:
    """The only thing that is wrong with such a file."""
    (said,) = refusals(*parts)
    return said
