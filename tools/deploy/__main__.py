"""`python3 -m deploy`: build the image as the tests do, and write what it is into docs/image.md (Linux, as root)."""

import pathlib
import sys
import tempfile
import zipfile

from deploy.facts import ROOT, STORES, blocks, imported, write
from deploy.image import Builder
from deploy.package import write as package


def main() -> int:
    """Build, look, write."""
    with tempfile.TemporaryDirectory(prefix="yunliao-image-") as name:
        folder = pathlib.Path(name)
        package(ROOT, folder / "package.zip")
        with zipfile.ZipFile(folder / "package.zip") as packed:
            packed.extractall(folder / "context")
        image = Builder(folder / "context", folder / "stages", {}).build()
        found = {kind: imported(image, kind, folder / kind) for kind in STORES}
        write(blocks(image, found))
    print("docs/image.md and docs/image.zh-CN.md have been written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
