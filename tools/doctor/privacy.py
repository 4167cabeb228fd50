"""What the mini-program's `wx` calls ask people for, against what its owner has declared.

The declaration itself is made in the mp console (用户隐私保护指引), where no tool can look; `privacy.declared.json`
says what was ticked there. `DATA` follows the console's list of kinds of data.
"""

import re
from collections.abc import Iterator

from doctor.finding import Finding, found
from doctor.tree import Tree

DATA: dict[str, tuple[str, ...]] = {
    "剪切板": ("setClipboardData", "getClipboardData"),
    "位置信息": ("getLocation", "getFuzzyLocation", "startLocationUpdate", "chooseLocation", "choosePoi"),
    "选中的照片或视频信息": ("chooseImage", "chooseMedia", "chooseVideo"),
    "相册（仅写入）权限": ("saveImageToPhotosAlbum", "saveVideoToPhotosAlbum"),
    "麦克风": ("startRecord", "getRecorderManager", "joinVoIPChat"),
    "摄像头": ("createCameraContext", "scanCode"),
    "选中的文件": ("chooseMessageFile",),
    "通讯录（仅写入）权限": ("addPhoneContact",),
    "日历（仅写入）权限": ("addPhoneCalendar", "addPhoneRepeatCalendar"),
    "微信昵称、头像": ("getUserProfile", "getUserInfo"),
    "收货地址": ("chooseAddress",),
    "发票信息": ("chooseInvoiceTitle", "chooseInvoice"),
    "微信运动步数": ("getWeRunData",),
    "蓝牙": ("openBluetoothAdapter", "createBLEPeripheralServer"),
    "加速传感器": ("startAccelerometer", "onAccelerometerChange"),
    "磁场传感器": ("startCompass", "onCompassChange"),
    "方向传感器": ("startDeviceMotionListening", "startGyroscope"),
}
IN_TEMPLATES = {"手机号": ("getPhoneNumber", "getRealtimePhoneNumber"), "微信昵称、头像": ("chooseAvatar",)}
"""Values of `open-type` in WXML."""
LOCATION = ("getLocation", "chooseLocation", "choosePoi", "getFuzzyLocation", "startLocationUpdate", "chooseAddress")
"""Calls that app.json must name in `requiredPrivateInfos`."""
NEEDS_DOMAIN = ("request", "uploadFile", "downloadFile", "connectSocket")


def check(tree: Tree) -> Iterator[Finding]:
    """Findings of privacy and of domains."""
    used, places = _used(tree)
    declared = tree.json("privacy.declared.json").get("declared", [])
    for item, calls in used.items():
        if item not in declared:
            yield found("privacy-undeclared", places[calls[0]], calls=", ".join(calls), item=item)
    for item in declared:
        if item not in used:
            yield found("privacy-unused", "privacy.declared.json", item=item)
    named = tree.json("miniprogram/app.json").get("requiredPrivateInfos", [])
    for call in LOCATION:
        if call in places and call not in named:
            yield found("location-undeclared", places[call], call=call)
    for call in NEEDS_DOMAIN:
        if call in places:
            yield found("domain-needed", places[call], call=f"wx.{call}")


def _used(tree: Tree) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Kind of data -> calls that need it; and call -> a file that makes it."""
    used: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    for path in tree.files("miniprogram", ".js", ".wxml"):
        if "miniprogram_npm" in path.parts:
            continue
        text = tree.text(tree.name(path))
        if path.suffix == ".js":
            text = re.sub(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", "", text, flags=re.DOTALL)
            calls = set(re.findall(r"\bwx\.(\w+)\s*\(", text))
            wanted = DATA
        else:
            calls = set(re.findall(r"open-type=[\"'](\w+)[\"']", text))
            wanted = IN_TEMPLATES
        for call in sorted(calls):
            places.setdefault(call, tree.name(path))
            for item, names in wanted.items():
                if call in names and call not in used.setdefault(item, []):
                    used[item].append(call)
    return {item: calls for item, calls in used.items() if calls}, places
