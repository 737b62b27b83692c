"""What is done to a machine, read off its parts: how it is built, how tested, what lies in its box.

Pure. Part numbers begin with the kind of part (`MEM-`, `SSD-`, …); the kinds are the keys here. A
test step names the parts it puts on trial, so that a failure points at what to replace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Text = dict[str, str]

PACKED = ("KBD-D", "KBD-SET", "MSE", "SPK", "RCV", "CRD", "ADP", "MON")
"""Never opened by the builder: accessories, packed beside the machine."""

OWN_BOX = ("MON",)
"""Travels in the box its maker packed it in."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something an operator does and confirms."""

    code: str
    name: Text
    skus: tuple[str, ...] = ()
    """The parts it handles, or puts on trial."""
    limit: Text | None = None
    """What counts as passed, for a test."""


_BUILD: tuple[tuple[str, tuple[str, ...], Text], ...] = (
    ("chassis", ("BSE", "CAS", "LID", "BZL", "BAY"), {"en": "Prepare the chassis", "zh": "准备机箱"}),
    ("board", ("BRD",), {"en": "Mount the board", "zh": "安装主板"}),
    ("processor", ("CPU",), {"en": "Seat the processor, check its pins", "zh": "安装处理器并检查针脚"}),
    ("cooling", ("CLR", "HSK", "FAN", "SHR"), {"en": "Fit coolers and fans", "zh": "安装散热器与风扇"}),
    ("memory", ("MEM",), {"en": "Seat the memory, slots in order", "zh": "按顺序安装内存"}),
    ("storage", ("SSD", "HDD", "ODD", "TAP", "RAI", "RDC"), {"en": "Fit drives and their controller", "zh": "安装硬盘与控制卡"}),
    (
        "cards", ("GPU", "RSR", "NIC", "SER", "CAP", "AUD", "RMC", "CBL"),
        {"en": "Fit risers, cards and cables", "zh": "安装转接卡、扩展卡与线缆"},
    ),
    ("wireless", ("WLN", "WAN"), {"en": "Fit radios, route the antennas", "zh": "安装无线模块并布置天线"}),
    ("display", ("DSP", "CAM"), {"en": "Mount panel and camera", "zh": "安装屏幕与摄像头"}),
    ("keyboard", ("KBD", "SEC"), {"en": "Fit keyboard and readers", "zh": "安装键盘与识别模块"}),
    ("power", ("PSU", "BAT"), {"en": "Fit battery or power supply", "zh": "安装电池或电源"}),
    ("label", ("LBL",), {"en": "Attach the asset label", "zh": "粘贴资产标签"}),
)
_OTHER: Text = {"en": "Fit the remaining parts", "zh": "安装其余部件"}
_CLOSE: Text = {"en": "Close the machine, attach the service tag", "zh": "合上机箱，粘贴服务标签"}

_TEST: tuple[tuple[str, tuple[str, ...], Text, Text], ...] = (
    (
        "post", ("BSE", "BRD"),
        {"en": "Power-on self-test", "zh": "开机自检"},
        {"en": "no error codes", "zh": "无错误代码"},
    ),
    (
        "processor", ("CPU",),
        {"en": "Processor, all cores under load", "zh": "处理器全核负载"},
        {"en": "10 min, no throttling", "zh": "10 分钟，不降频"},
    ),
    (
        "memory", ("MEM",),
        {"en": "Memory, four patterns", "zh": "内存四种模式测试"},
        {"en": "0 errors", "zh": "0 个错误"},
    ),
    (
        "storage", ("SSD", "HDD"),
        {"en": "Drives, surface and speed", "zh": "硬盘表面与速度"},
        {"en": "0 bad blocks", "zh": "0 个坏块"},
    ),
    (
        "array", ("RAI", "RDC"),
        {"en": "Drive array, one drive pulled", "zh": "阵列：拔出一块硬盘"},
        {"en": "rebuilds by itself", "zh": "可自动重建"},
    ),
    (
        "optical", ("ODD", "TAP"),
        {"en": "Removable media, write and read", "zh": "可移动介质读写"},
        {"en": "reads back alike", "zh": "读写一致"},
    ),
    (
        "graphics", ("GPU",),
        {"en": "Graphics under load", "zh": "图形负载"},
        {"en": "10 min, no artefacts", "zh": "10 分钟，无花屏"},
    ),
    (
        "display", ("DSP",),
        {"en": "Panel, pixels and brightness", "zh": "屏幕像素与亮度"},
        {"en": "no dead pixel", "zh": "无坏点"},
    ),
    (
        "camera", ("CAM",),
        {"en": "Camera and microphone", "zh": "摄像头与麦克风"},
        {"en": "picture and sound", "zh": "有图像与声音"},
    ),
    (
        "keyboard", ("KBD", "SEC"),
        {"en": "Every key and reader", "zh": "全部按键与识别模块"},
        {"en": "all answer", "zh": "全部响应"},
    ),
    (
        "network", ("NIC", "WLN", "WAN"),
        {"en": "Network, wire and radio", "zh": "有线与无线网络"},
        {"en": "full rate, 0 losses", "zh": "满速，0 丢包"},
    ),
    (
        "cards", ("SER", "CAP", "AUD", "RMC"),
        {"en": "Expansion cards", "zh": "扩展卡"},
        {"en": "each is found", "zh": "全部识别"},
    ),
    (
        "battery", ("BAT",),
        {"en": "Battery, charge and drain", "zh": "电池充放电"},
        {"en": "95 % of rated capacity", "zh": "额定容量的 95 %"},
    ),
    (
        "power", ("PSU",),
        {"en": "Power supply under full load", "zh": "电源满载"},
        {"en": "within 3 % of each voltage", "zh": "各路电压偏差不超过 3 %"},
    ),
    (
        "cooling", ("CLR", "HSK", "FAN"),
        {"en": "Fans, speed and noise", "zh": "风扇转速与噪声"},
        {"en": "as drawn on the curve", "zh": "符合曲线"},
    ),
)
_SOFTWARE: tuple[Text, Text] = (
    {"en": "Load the operating system", "zh": "安装操作系统"},
    {"en": "starts, activated", "zh": "可启动并已激活"},
)
_BURN_IN: tuple[Text, Text] = (
    {"en": "Burn-in of the whole machine", "zh": "整机老化"},
    {"en": "no restart, no error", "zh": "无重启，无错误"},
)

TESTS: dict[str, Text] = {code: name for code, _kinds, name, _limit in _TEST} | {"software": _SOFTWARE[0], "burn-in": _BURN_IN[0]}
"""What each test is called, by its code."""

FAILURES: dict[str, Text] = {
    "NO-POST": {"en": "Does not start", "zh": "无法启动"},
    "ERRORS": {"en": "Errors found", "zh": "发现错误"},
    "NOT-FOUND": {"en": "Part not recognised", "zh": "部件未识别"},
    "TOO-SLOW": {"en": "Below its rated speed", "zh": "低于额定速度"},
    "TOO-HOT": {"en": "Too hot", "zh": "温度过高"},
    "DAMAGED": {"en": "Visible damage", "zh": "可见损坏"},
    "NOISE": {"en": "Unusual noise", "zh": "异常噪声"},
    "CRASHED": {"en": "Stopped or restarted", "zh": "死机或重启"},
}
"""Why a test was not passed, or a part taken out."""


def is_packed(sku: str) -> bool:
    """Whether the part goes into the box beside the machine rather than into the machine."""
    return sku.startswith(PACKED)


def build_steps(skus: Iterable[str]) -> list[Step]:
    """How to put the machine together from these stocked parts, in order of work."""
    inside = sorted({sku for sku in skus if not is_packed(sku)})
    steps = [Step(code, name, chosen) for code, kinds, name in _BUILD if (chosen := _of(inside, kinds))]
    handled = {sku for step in steps for sku in step.skus}
    rest = tuple(sku for sku in inside if sku not in handled)
    if rest:
        steps.append(Step("other", _OTHER, rest))
    return [*steps, Step("close", _CLOSE)]


def test_recipe(skus: Iterable[str]) -> list[Step]:
    """How to try the machine, from all it holds: parts, and software to be loaded. What is packed beside it is not tried."""
    everything = sorted({sku for sku in skus if not is_packed(sku)})
    steps = [Step(code, name, chosen, limit) for code, kinds, name, limit in _TEST if (chosen := _of(everything, kinds))]
    software = _of(everything, ("OSL",))
    if software:
        steps.append(Step("software", _SOFTWARE[0], software, _SOFTWARE[1]))
    return [*steps, Step("burn-in", _BURN_IN[0], (), _BURN_IN[1])]


test_recipe.__test__ = False  # type: ignore[attr-defined]  # its name begins like a test's; pytest need not call it


def _of(skus: Sequence[str], kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sku for sku in skus if sku.startswith(kinds))
