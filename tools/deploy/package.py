"""The zip for the console's "手动上传代码包": what production needs, nothing else, the same bytes on every machine.

Entries are stored, not compressed: what zlib makes of the same bytes differs between its versions. Only the standard
library is needed.
"""

import hashlib
import pathlib
import subprocess
import zipfile

LIMIT = 2 * 1024 * 1024
"""The console takes no more (platform.md §9.3)."""
AT_THE_TOP = ("Dockerfile", ".dockerignore", "container.config.json")
NOT_NEEDED = ("container/requirements.in",)
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time a zip can hold: when a file was written says nothing about what it is."""


class PackageTrouble(Exception):
    """The package cannot be made; the text says what to do."""


def members(root: pathlib.Path) -> list[str]:
    """Paths in the package, in their order there: only files under version control, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *AT_THE_TOP, "container"], cwd=root, capture_output=True, check=False
    )
    if listed.returncode:
        raise PackageTrouble(
            "This is no git checkout, so it is not known which files are part of Yunliao. Clone it anew."
        )
    names = sorted(name for name in listed.stdout.decode().split("\0") if name and name not in NOT_NEEDED)
    missing = [name for name in (*AT_THE_TOP, "container/wsgi.py", "container/requirements.txt") if name not in names]
    missing += [name for name in names if not (root / name).is_file()]
    if missing:
        raise PackageTrouble(f"Missing from this checkout: {', '.join(missing)}. Restore it with `git checkout -- .`")
    return names


def write(root: pathlib.Path, into: pathlib.Path) -> tuple[int, str, int]:
    """Write the zip; its size in bytes, its SHA-256, and how many files are in it. Raises `PackageTrouble`, and leaves
    no file, when it is larger than the console takes."""
    names = members(root)
    into.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED) as package:
        for name in names:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # modes as on Unix, wherever it is made
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, (root / name).read_bytes().replace(b"\r\n", b"\n"))
    content = into.read_bytes()
    if len(content) > LIMIT:
        into.unlink()
        raise PackageTrouble(f"The package has {len(content):,} bytes, the console takes {LIMIT:,}: see what grew.")
    return len(content), hashlib.sha256(content).hexdigest(), len(names)
