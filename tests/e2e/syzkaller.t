#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The description for syzkaller names what the kernel's header has: every call, and every member of every
structure, in order and of its width."""
import re

from tap import finish, ok

header = re.sub(r"/\*.*?\*/", "", open("uapi/drm/iau_accel.h").read(), flags=re.S)
text = open("tests/syzkaller/dev_iau.txt").read()
bits = {"__u32": 32, "__s32": 32, "__u64": 64, "__s64": 64, "struct drm_iau_obj_array": 128,
        "struct drm_iau_counters": 32 * 64}
resources = {name: int(width) for name, width in re.findall(r"^resource (\w+)\[int(\d+)\]", text, re.M)}


def width(kind):
    kind = kind.split("\t(")[0].strip()
    if kind in resources:
        return resources[kind]
    if kind.startswith(("iau_array", "ptr64")):
        return 128 if kind.startswith("iau_array") else 64
    m = re.match(r"array\[int(\d+), (\d+)\]$", kind)
    if m:
        return int(m[1]) * int(m[2])
    m = re.match(r"(?:const|flags|len|bytesize)\[.*, int(\d+)\]$|int(\d+)|bool(\d+)", kind)
    return int(next(g for g in m.groups() if g)) if m else None


calls = re.findall(r"#define (DRM_IOCTL_IAU_\w+)\s", header)
described = re.findall(r"const\[(DRM_IOCTL_IAU_\w+)\]", text)
for call in calls:
    ok(described.count(call) == 1, f"{call} is described")
ok(set(described) <= set(calls), "and nothing that is none")

structs = {name: [(m[1], bits[m[0]]) for m in re.findall(r"(struct \w+|__[us]\d+) (\w+);", body)]
           for name, body in re.findall(r"struct (drm_iau_\w+) \{(.*?)\};", header, re.S)}
used = set(re.findall(r"\bdrm_iau_\w+", text))
for name in sorted(used):
    body = re.search(rf"^{name} \{{\n(.*?)^\}}", text, re.S | re.M)
    members = [re.match(r"\t(\w+)\t+(.*)", line).groups() for line in body[1].splitlines()] if body else []
    got = [(member, width(kind)) for member, kind in members]
    ok(got == structs.get(name), f"{name} has the members of the header")
    if got != structs.get(name):
        print(f"# {got}\n# {structs.get(name)}")
answers = {"drm_iau_device_info", "drm_iau_counters", "drm_iau_obj_array"}
ok(set(structs) - used <= answers, "what is not described is an answer or a part")
finish()
