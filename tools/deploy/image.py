"""Builds the image's root file system from the Dockerfile's own steps, without a Docker engine (Linux, as root).

`FROM debian:…-slim` becomes a file system that mmdebstrap makes from the same release and with the same parts left out.
Every other step is done as Docker does it: RUN by the shell inside, with the build arguments and the environment so
far; COPY from the context (as .dockerignore leaves it) or from an earlier stage. What comes out starts by
`Image.argv` as the user and with the environment that the file names.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.dockerfile import NotBuildable, Stage, command, stages, variables

MIRROR = "http://deb.debian.org/debian"
RELEASE = re.compile(r"debian:([a-z]+)-slim$")
LEFT_OUT = ("doc", "groff", "info", "linda", "lintian", "locale", "man")
"""What the slim image leaves out of /usr/share."""
CLEAN = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
"""The official image keeps no downloaded packages either."""
CERTIFICATES = "/build-certificates.crt"
CHANGING = {"RUN", "COPY"}
"""Instructions that change files."""


@dataclass
class Image:
    """A built stage: its files, and how its process starts."""

    root: pathlib.Path
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    cmd: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    layers: list[tuple[str, int]] = field(default_factory=list)
    """What each step added, bytes, in order; a step is its instruction and words."""

    def argv(self, words: list[str] | None = None) -> list[str]:
        """A command line that runs `words`, or the image's command, inside, as its user. As with Docker the image's
        variables hold unless the caller's environment has them; PATH is always the image's."""
        own = [f"export PATH={self.env['PATH']}"]
        own += [f': "${{{name}:={value}}}"; export {name}' for name, value in self.env.items() if name != "PATH"]
        inside = "; ".join([*own, f'cd {self.folder} && exec "$@"'])
        who = ["/usr/sbin/chroot", f"--userspec={self.user}:{self.user}", str(self.root)]
        return [*who, "/bin/sh", "-c", inside, "sh", *(words or self.cmd)]


class Builder:
    """Builds all stages of `context/Dockerfile` below `into`, which must not exist."""

    def __init__(self, context: pathlib.Path, into: pathlib.Path, arguments: Mapping[str, str], say=print) -> None:  # type: ignore[no-untyped-def]
        self._context, self._into, self._arguments, self._say = context, into, dict(arguments), say
        self._built: dict[str, Image] = {}

    def build(self) -> Image:
        """The last stage. Raises `NotBuildable`, `subprocess.CalledProcessError`."""
        for number, stage in enumerate(stages(self._context / "Dockerfile")):
            image = self._start(stage, self._into / f"{number}-{stage.name}")
            given: dict[str, str] = {}
            for instruction, value in stage.steps:
                self._say(f"[{stage.name}] {instruction} {' '.join(value.split())[:100]}")
                self._step(image, instruction, value, given)
                if instruction in CHANGING:
                    added = size_of(image.root) - sum(size for _, size in image.layers)
                    image.layers.append((f"{instruction} {' '.join(value.split())}", added))
            self._built[stage.name] = image
        return image

    def _start(self, stage: Stage, root: pathlib.Path) -> Image:
        root.parent.mkdir(parents=True, exist_ok=True)
        self._say(f"[{stage.name}] FROM {stage.base}")
        earlier = self._built.get(stage.base)
        if earlier:
            subprocess.run(["cp", "-a", "--reflink=auto", str(earlier.root), str(root)], check=True)
            state = (dict(earlier.env), earlier.folder, earlier.user, earlier.cmd, earlier.ports, list(earlier.layers))
            return Image(root, *state)
        release = RELEASE.match(stage.base)
        if not release:
            raise NotBuildable(f"FROM {stage.base}: only Debian can be made here from its packages")
        slim = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in LEFT_OUT]
        made = ["mmdebstrap", "--quiet", "--variant=minbase", *slim, release[1], str(root), MIRROR]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        (root / "etc/apt/apt.conf.d/docker-clean").write_text(CLEAN)
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return Image(root, path, layers=[(f"FROM {stage.base}", size_of(root))])

    def _step(self, image: Image, instruction: str, value: str, given: dict[str, str]) -> None:
        match instruction:
            case "ARG":
                for name, default in variables(value).items():
                    given[name] = self._arguments.get(name, default)
            case "ENV":
                image.env |= variables(value)
            case "WORKDIR":
                image.folder = value
                (image.root / value.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "USER":
                image.user = value
            case "EXPOSE":
                image.ports.append(int(value))
            case "CMD":
                image.cmd = command(value)
            case "COPY":
                self._copy(image, value)
            case _:
                self._run(image, value, given)

    def _copy(self, image: Image, value: str) -> None:
        words = value.split()
        source_root = self._context
        if words[0].startswith("--from="):
            source_root = self._built[words.pop(0).removeprefix("--from=")].root
        source, target = source_root / words[0].strip("/"), image.root / words[1].strip("/")
        ignored = shutil.ignore_patterns("__pycache__", "requirements.in") if source_root is self._context else None
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)

    def _run(self, image: Image, value: str, given: Mapping[str, str]) -> None:
        # What Docker gives every step: name resolution, /proc and /dev. A machine whose network shows certificates of
        # its own lends them to the step; nothing of it stays in the image.
        resolver, lent = image.root / "etc/resolv.conf", image.root / CERTIFICATES.lstrip("/")
        shutil.copy("/etc/resolv.conf", resolver)
        env = {**image.env, **given, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        if os.environ.get("PIP_CERT"):
            shutil.copy(os.environ["PIP_CERT"], lent)
            env["PIP_CERT"] = CERTIFICATES
        mount = 'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" /bin/sh -c "cd $1 && $2"'
        line = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", mount, str(image.root), image.folder, value]
        try:
            subprocess.run(
                line, env={**env, "PATH": env.get("PATH", os.defpath)}, check=True, stdout=subprocess.DEVNULL
            )
        finally:
            lent.unlink(missing_ok=True)
            resolver.unlink(missing_ok=True)


def size_of(root: pathlib.Path) -> int:
    """Bytes in the files below `root`, those with several names once: what has to be fetched, whatever the disk."""
    total, seen = 0, set()
    for folder, _, names in os.walk(root):
        for name in names:
            found = os.lstat(os.path.join(folder, name))
            if found.st_ino not in seen and not stat.S_ISCHR(found.st_mode):
                total += found.st_size
                seen.add(found.st_ino)
    return total
