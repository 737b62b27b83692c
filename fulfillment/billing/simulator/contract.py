"""What Stripe accepts, read out of the installed SDK.

The SDK is generated from Stripe's own OpenAPI document: its service modules carry every method and path,
the TypedDicts of `stripe.params` every parameter with its type, its values and whether it is required, and
its resource classes every field of an answer. Read from there, the contract is always the version we run.

    errors, typed, template = check("POST", "/v1/refunds", [("payment_intent", "pi_1"), ("amount", "500")])
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

import stripe
import typing_extensions
from stripe._object_classes import get_object_class
from stripe._request_options import RequestOptions

API_VERSION: str = stripe.api_version
_ROOT = Path(stripe.__file__).parent
_OPTIONS = frozenset(RequestOptions.__annotations__)
_REQUIRED: tuple[Any, ...] = (typing.Required, typing_extensions.Required)
_OPTIONAL: tuple[Any, ...] = (typing.NotRequired, typing_extensions.NotRequired)
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_KEY = re.compile(r"[^\[\]]+(\[[^\[\]]*\])*")

_ON_REQUEST = frozenset({"line_items", "refunds", "secret"})
"""Fields an answer carries only when asked for them, or once."""

Json = Any
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing Stripe would refuse in a request."""

    param: str
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API: `POST /v1/refunds` and the TypedDict of its parameters."""

    method: str
    template: str
    module: str | None
    params: str | None

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches a path of this operation; its groups are the ids in the path."""
        return _pattern(self.template)

    def params_type(self) -> Any:
        """The TypedDict of the parameters, or None where the call takes none."""
        if self.module is None or self.params is None:
            return None
        return getattr(importlib.import_module(self.module), self.params)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^}]+\\}", "([^/]+)", re.escape(template)))


# ------------------------------------------------------------------ reading the SDK


def _calls(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str, str]]:
    """Every `self._request("get", "/v1/…")` of a service module, with the method it stands in."""
    for service in tree.body:
        if not isinstance(service, ast.ClassDef):
            continue
        for function in service.body:
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "self._request"):
                    continue
                verb, path = call.args[:2]
                if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):  # "…{id}".format(…)
                    path = path.func.value
                if isinstance(verb, ast.Constant) and isinstance(path, ast.Constant):
                    yield function, str(verb.value).upper(), str(path.value)


def _params_name(function: ast.FunctionDef) -> str | None:
    """`RefundCreateParams` of `params: Optional["RefundCreateParams"] = None`."""
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            found = re.search(r"\w+Params\b", ast.unparse(argument.annotation))
            return found.group() if found else None
    return None


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the SDK, literal paths before paths with an id in them."""
    found = []
    for file in sorted(_ROOT.rglob("*_service.py")):
        source = file.read_text(encoding="utf-8")
        if "self._request(" not in source:
            continue
        tree = ast.parse(source)
        origin = {
            name.name: node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe.params")
            for name in node.names
        }
        for function, method, path in _calls(tree):
            params = _params_name(function)
            found.append(Operation(method, path, origin.get(params or ""), params))
    return tuple(sorted(found, key=lambda one: (one.template.count("{"), one.template, one.method)))


@cache
def find(method: str, path: str) -> Operation | None:
    """The operation a request means, or None where Stripe has no such URL."""
    for operation in operations():
        if operation.method == method and operation.pattern.fullmatch(path):
            return operation
    return None


@cache
def _fields(typed_dict: Any) -> dict[str, tuple[Any, bool]]:
    """The type of every parameter and whether it is required; request options are not parameters."""
    module = sys.modules[typed_dict.__module__].__dict__
    names = {**vars(typing), **vars(typing_extensions), **module, "StripeContext": object}
    hints = typing_extensions.get_type_hints(typed_dict, globalns=names, include_extras=True)
    inherited = _OPTIONS if set(hints) >= _OPTIONS else frozenset()
    fields = {}
    for name in hints.keys() - inherited:
        hint = hints[name]
        optional = get_origin(hint) in _OPTIONAL
        bare = get_args(hint)[0] if optional or get_origin(hint) in _REQUIRED else hint
        fields[name] = (bare, not optional and name in typed_dict.__required_keys__)
    return fields


# ------------------------------------------------------------------ checking a request


def nested(pairs: Iterable[Pair]) -> tuple[dict[str, Json], list[Violation]]:
    """`a[b][0][c]=1` as `{"a": {"b": {"0": {"c": "1"}}}}`, with what could not be read.

    Whether `{"0": …}` is a list is for the type to say: metadata may have a key `0`.
    """
    root: dict[str, Json] = {}
    violations = []
    for key, value in pairs:
        steps = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key) if _KEY.fullmatch(key) else []
        branch: Json = root
        for step in steps[:-1]:
            branch = branch.setdefault(step or str(len(branch)), {}) if isinstance(branch, dict) else None
        if not steps or not isinstance(branch, dict) or isinstance(branch.get(steps[-1]), dict):
            violations.append(Violation(key, "parameter_invalid_object", f"Invalid object: {key}"))
        else:
            branch[steps[-1] or str(len(branch))] = value
    return root, violations


def check(method: str, path: str, pairs: Iterable[Pair]) -> tuple[list[Violation], dict[str, Json], str | None]:
    """Check form pairs against the contract: what is wrong, the typed values, the path's template."""
    operation = find(method, path)
    if operation is None:
        return [Violation("", None, f"Unrecognized request URL ({method}: {path}).")], {}, None
    values, violations = nested(pairs)
    params_type = operation.params_type()
    if params_type is None:
        violations += [_unknown(name) for name in values]
        return violations, {}, operation.template
    typed = _object(values, params_type, "", violations)
    return violations, typed, operation.template


def _unknown(name: str) -> Violation:
    return Violation(name, "parameter_unknown", f"Received unknown parameter: {name}")


def _object(value: Json, typed_dict: Any, where: str, violations: list[Violation]) -> dict[str, Json]:
    if not isinstance(value, dict):
        violations.append(Violation(where, "parameter_invalid_object", "Invalid object"))
        return {}
    fields = _fields(typed_dict)
    typed = {}
    for name, inner in value.items():
        at = f"{where}[{name}]" if where else name
        if name in fields:
            typed[name] = _value(inner, fields[name][0], at, violations)
        else:
            violations.append(_unknown(at))
    for name, (_, required) in fields.items():
        if required and name not in value:
            at = f"{where}[{name}]" if where else name
            violations.append(Violation(at, "parameter_missing", f"Missing required param: {at}."))
    return typed


def _value(value: Json, kind: Any, where: str, violations: list[Violation]) -> Json:  # noqa: PLR0911 - one per kind
    """The typed value; what does not fit goes to `violations`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _any_of(value, inner, where, violations)
    if origin is Literal:
        return _one_of(value, inner, where, violations)
    if typing_extensions.is_typeddict(kind):
        return _object(value, kind, where, violations)
    if origin is list:
        return _list(value, inner[0], where, violations)
    if origin is dict or getattr(origin or kind, "__name__", "") == "UntypedStripeObject":
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            violations.append(Violation(where, "parameter_invalid_hash", "Invalid hash"))
            return {}
        return value
    return _scalar(value, kind, where, violations)


def _list(value: Json, kind: Any, where: str, violations: list[Violation]) -> list[Json]:
    """A list is written as an object whose keys are indexes."""
    if not isinstance(value, dict) or not all(re.fullmatch("[0-9]{1,6}", key) for key in value):
        violations.append(Violation(where, "parameter_invalid_array", "Invalid array"))
        return []
    items = [value[key] for key in sorted(value, key=int)]
    return [_value(item, kind, f"{where}[{at}]", violations) for at, item in enumerate(items)]


def _any_of(value: Json, kinds: tuple[Any, ...], where: str, violations: list[Violation]) -> Json:
    """The first alternative that fits. The SDK leaves enums open (`Literal[…] | str`); Stripe does not."""
    closed = any(get_origin(kind) is Literal and any(get_args(kind)) for kind in kinds)
    best: list[Violation] | None = None
    for kind in kinds:
        if closed and kind is str:
            continue
        complaints: list[Violation] = []
        typed = _value(value, kind, where, complaints)
        if not complaints:
            return typed
        holds_more = typing_extensions.is_typeddict(kind) or get_origin(kind) in (list, dict)
        told_better = isinstance(value, dict) == holds_more and kind != Literal[""]
        if best is None or told_better:
            best = complaints
    violations.extend(best or [])
    return value


def _one_of(value: Json, allowed: tuple[Any, ...], where: str, violations: list[Violation]) -> Json:
    for option in allowed:
        if value == (str(option).lower() if isinstance(option, bool) else str(option)):
            return option
    listing = ", ".join(map(str, allowed[:12])) + (", …" if allowed[12:] else "")
    violations.append(Violation(where, None, f"Invalid {where}: must be one of {listing}"))
    return value


def _scalar(value: Json, kind: Any, where: str, violations: list[Violation]) -> Json:
    if not isinstance(value, str):
        violations.append(Violation(where, "parameter_invalid_string", f"Invalid string: {where}"))
        return value
    if kind is int:
        if _INTEGER.fullmatch(value):
            return int(value)
        violations.append(Violation(where, "parameter_invalid_integer", f"Invalid integer: {value}"))
    elif kind is bool:
        if value in {"true", "false"}:
            return value == "true"
        violations.append(Violation(where, None, f"Invalid boolean: {value}"))
    elif kind in (Decimal, float):
        try:
            if Decimal(value).is_finite():
                return value
        except InvalidOperation:
            pass
        violations.append(Violation(where, None, f"Invalid decimal: {value}"))
    elif kind is str and value == "":
        told = f"You passed an empty string for '{where}'. '{where}' cannot be unset; leave it out or give it a value."
        violations.append(Violation(where, "parameter_invalid_empty", told))
    return value


# ------------------------------------------------------------------ answers and the SDK's own client


class ContractBroken(AssertionError):
    """The program sent something Stripe would refuse."""


class CheckedClient(stripe.RequestsClient):
    """The SDK's HTTP client, checking every request on its way out. For tests."""

    def request(  # type: ignore[override]  # RequestsClient differs from its own base class in the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        self.verify(method, url, post_data)
        return super().request(method, url, headers, post_data)

    @staticmethod
    def verify(method: str, url: str, post_data: Any) -> None:
        """Raises ContractBroken for a request Stripe would refuse."""
        parts = urlsplit(url)
        raw = post_data if method.lower() == "post" else parts.query
        violations, _, _ = check(method.upper(), parts.path, parse_qsl(raw or "", keep_blank_values=True))
        if violations:
            raise ContractBroken(f"{method.upper()} {parts.path}: {violations}")


@cache
def resource(kind: str) -> Any:
    """The SDK's class of an object, `checkout.session` -> `stripe.checkout.Session`."""
    return get_object_class("V1", kind)


@cache
def _annotations(kind: str) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in resource(kind).__annotations__.items()
        if get_origin(hint) is not typing.ClassVar and name != "deleted" and not name.startswith("_")
    }


def has_field(kind: str, name: str) -> bool:
    """Whether objects of a kind carry the field."""
    return name in _annotations(kind)


def nullable(kind: str) -> dict[str, None]:
    """Every field of an object that may be null, as null: what a new object starts from."""
    absent = _ON_REQUEST if kind != "payment_method" else _annotations(kind).keys() - {"customer", "metadata"}
    return {
        name: None for name, hint in _annotations(kind).items() if type(None) in get_args(hint) and name not in absent
    }


def misfits(kind: str, body: Mapping[str, Json]) -> list[str]:
    """Fields an answer has too many or too few, by the SDK's class. For tests."""
    known = _annotations(kind)
    missing = [name for name, hint in known.items() if name not in body and type(None) not in get_args(hint)]
    return sorted([f"-{name}" for name in missing] + [f"+{name}" for name in body if name not in known])


def is_expandable(kind: str, name: str) -> bool:
    """Whether the field holds an id that `expand` may replace by the object."""
    hint = _annotations(kind).get(name)
    members = get_args(hint)
    others = [member for member in members if member not in (str, type(None)) and get_origin(member) is not Literal]
    return str in members and bool(others)
