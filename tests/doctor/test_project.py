"""The doctor finds every mistake that is seeded into a good project, and has nothing to say about the good one."""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from doctor import examine
from doctor.catalog import KINDS
from doctor.finding import Finding

ROOT = pathlib.Path(__file__).parents[2]
APPID = "wx7a3f09c1d25be864"
GOOD = {
    "YUNLIAO_RELAY_URL": "https://api.deepseek.com/v1",
    "YUNLIAO_RELAY_KEY": "sk-8d1f0a7b3c95e2f46a",
    "YUNLIAO_RELAY_DOMESTIC": "on",
    "YUNLIAO_MODEL": "deepseek-chat",
    "YUNLIAO_STORE_URL": "mongodb://yunliao:p%40ss@10.0.0.5:27017/yunliao?replicaSet=rs0&authSource=admin",
    "YUNLIAO_MASTER_KEYS": "k1:" + base64.b64encode(hashlib.sha256(b"of this test").digest()).decode(),
    "YUNLIAO_APPIDS": APPID,
    "YUNLIAO_JOBS_SECRET": hashlib.sha256(b"jobs").hexdigest()[:32],
    "YUNLIAO_METRICS_TOKEN": hashlib.sha256(b"metrics").hexdigest()[:32],
    "YUNLIAO_FUNCTION_SECRET": hashlib.sha256(b"function").hexdigest(),
    "YUNLIAO_PROVIDER": "某某科技有限公司",
    "YUNLIAO_FILING": "网信算备110000000000000000001号",
    "YUNLIAO_CONTACT": "help@some-company.cn",
}
CANARY = "canary-of-a-secret-value"


class Project:
    """A copy of this checkout as its owner would have it before deploying, and the file of its settings."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.settings = root.parent / "settings.env"
        self.values = dict(GOOD)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, (name, old)
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def json(self, name: str, **changes: object) -> None:
        value = json.loads((self.root / name).read_text(encoding="utf-8"))
        (self.root / name).write_text(json.dumps({**value, **changes}, ensure_ascii=False), encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "add", "-A"], cwd=self.root, check=True, capture_output=True)

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def set(self, **values: str) -> None:
        self.values |= values

    def unset(self, name: str) -> None:
        del self.values[name]

    def findings(self, extra: str = "") -> list[Finding]:
        lines = "".join(f"{name}={value}\n" for name, value in self.values.items())
        self.settings.write_text("# the settings of the console\n" + lines + extra, encoding="utf-8")
        self.settings.chmod(0o600)
        return examine.project(self.root, self.settings)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """The files under version control, in a repository of their own."""
    root = tmp_path_factory.mktemp("good") / "yunliao"
    wanted = ["Dockerfile", ".dockerignore", "*.json", "*.py", "container", "miniprogram", "cloudfunctions"]
    listed = subprocess.run(["git", "ls-files", "-z", "--", *wanted], cwd=ROOT, capture_output=True, check=True)
    for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
        if name.startswith(("tests/", "tools/")) or not (ROOT / name).exists():
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    (root / ".venv").symlink_to(ROOT / ".venv")
    (root / ".gitignore").write_text(".venv\n")
    project = Project(root)
    project.json("project.config.json", appid=APPID)
    project.edit("miniprogram/config.js", "local-env", "prod-1a2b3c4d")
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
    yield root


@pytest.fixture
def project(original: pathlib.Path, tmp_path: pathlib.Path) -> Project:
    root = tmp_path / "yunliao"
    shutil.copytree(original, root, symlinks=True)
    return Project(root)


def test_a_good_project_has_no_finding_at_all(project: Project) -> None:
    assert project.findings() == []
    assert examine.project(project.root) == []
    assert "没有发现问题" in examine.report([], as_json=False)


def several_triggers(project: Project) -> None:
    trigger = {"name": "a", "type": "timer", "config": "0 * * * * * *"}
    project.json("cloudfunctions/timer/config.json", triggers=[trigger, {**trigger, "name": "b"}])


def weak_ring(*numbers: int) -> str:
    return "k1:" + base64.b64encode(bytes(numbers)).decode()


MISTAKES: dict[str, tuple[str, str, Callable[[Project], object]]] = {
    # --- the upload
    "no Dockerfile": ("file-missing", "Dockerfile", lambda p: p.delete("Dockerfile")),
    "no entry": ("file-missing", "container/wsgi.py", lambda p: p.delete("container/wsgi.py")),
    "broken console file": ("json-broken", "container.config.json", lambda p: p.write("container.config.json", '{"a": 1,}')),
    "broken project file": ("json-broken", "project.config.json", lambda p: p.write("project.config.json", '{"a" 1}')),
    "console port": ("port-differs", "containerPort", lambda p: p.json("container.config.json", containerPort=80)),
    "exposed port": ("port-differs", "EXPOSE", lambda p: p.edit("Dockerfile", "EXPOSE 8080", "EXPOSE 80")),
    "port of the settings": ("port-differs", "PORT", lambda p: p.set(PORT="80")),
    "fixed port": ("port-fixed", "gunicorn", lambda p: p.edit("container/gunicorn.conf.py", "{os.environ.get('PORT', '80')}", "5000")),
    "shell command": ("image-shell-command", "CMD", lambda p: p.edit("Dockerfile", 'CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]', "CMD gunicorn wsgi:app")),
    "root in the image": ("image-root", "USER", lambda p: p.edit("Dockerfile", "USER 10001", "USER root")),
    "no user": ("image-root", "USER", lambda p: p.edit("Dockerfile", "USER 10001\n", "")),
    "no certificates": ("image-certificates", "Dockerfile", lambda p: p.edit("Dockerfile", "ca-certificates ", "")),
    "no time zone": ("image-time-zone", "Dockerfile", lambda p: p.edit("Dockerfile", "TZ=UTC ", "")),
    "no zone data": ("image-time-zone", "Dockerfile", lambda p: p.edit("Dockerfile", " tzdata", "")),
    "package without a hash": ("lock-unhashed", "requirements", lambda p: p.write("container/requirements.txt", "flask==3.1.3\n")),
    "large upload": ("package-large", "container", lambda p: p.write("container/large.txt", "x" * 2_200_000)),
    "environment file uploaded": ("package-secret", "container/.env", lambda p: p.write("container/.env", "A=1")),
    "key in the code": ("package-secret", "extra.py", lambda p: p.write("container/yunliao/extra.py", 'KEY = "sk-abcdefghijklmnopqrstuvwx"')),
    # --- the mini-program
    "tourist": ("appid-tourist", "appid", lambda p: p.json("project.config.json", appid="touristappid")),
    "appid mistyped": ("appid-form", "appid", lambda p: p.json("project.config.json", appid="wx01234")),
    "local environment": ("env-local", "config.js", lambda p: p.edit("miniprogram/config.js", "prod-1a2b3c4d", "local-env")),
    "environment mistyped": ("env-form", "config.js env", lambda p: p.edit("miniprogram/config.js", "prod-1a2b3c4d", "生产环境")),
    "service mistyped": ("env-form", "config.js service", lambda p: p.edit("miniprogram/config.js", "'yunliao'", "'Yun Liao'")),
    "old base library": ("library-old", "libVersion", lambda p: p.json("project.config.json", libVersion="2.19.4")),
    "root of the mini-program": ("root-wrong", "miniprogramRoot", lambda p: p.json("project.config.json", miniprogramRoot="src/")),
    "root of the functions": ("root-wrong", "cloudfunctionRoot", lambda p: p.json("project.config.json", cloudfunctionRoot="")),
    "page without a template": ("page-missing", "app.json", lambda p: p.delete("miniprogram/pages/about/about.wxml")),
    "no theme": ("file-missing", "themeLocation", lambda p: p.delete("miniprogram/theme.json")),
    "npm not built": ("component-missing", "", lambda p: shutil.rmtree(p.root / "miniprogram/miniprogram_npm")),
    "large mini-program": ("mini-large", "miniprogram", lambda p: p.write("miniprogram/big.png", "x" * 2_200_000)),
    "photos undeclared": ("privacy-undeclared", "chat.js", lambda p: p.edit("miniprogram/pages/chat/chat.js", "Page({", "wx.chooseMedia({});\nPage({")),
    "clipboard undeclared": ("privacy-undeclared", "", lambda p: p.json("privacy.declared.json", declared=[])),
    "telephone number undeclared": ("privacy-undeclared", "about.wxml", lambda p: p.edit("miniprogram/pages/about/about.wxml", "<view", '<button open-type="getPhoneNumber" /><view')),
    "declared and unused": ("privacy-unused", "privacy.declared.json", lambda p: p.json("privacy.declared.json", declared=["剪切板", "麦克风"])),
    "location": ("location-undeclared", "chat.js", lambda p: p.edit("miniprogram/pages/chat/chat.js", "Page({", "wx.getLocation({});\nPage({")),
    "own request": ("domain-needed", "chat.js", lambda p: p.edit("miniprogram/pages/chat/chat.js", "Page({", "wx.request({});\nPage({")),
    "key in the mini-program": ("mini-secret", "config.js", lambda p: p.edit("miniprogram/config.js", "env:", "key: 'sk-abcdefghijklmnop1234', env:")),
    "personal settings": ("private-config", "project.private", lambda p: p.write("project.private.config.json", "{}")),
    # --- the functions
    "no function": ("file-missing", "chat/index.js", lambda p: p.delete("cloudfunctions/chat/index.js")),
    "function without config": ("function-broken", "timer", lambda p: p.delete("cloudfunctions/timer/config.json")),
    "two triggers": ("function-trigger", "timer", several_triggers),
    "five-field cron": ("function-trigger", "timer", lambda p: p.json("cloudfunctions/timer/config.json", triggers=[{"name": "a", "type": "timer", "config": "* * * * *"}])),
    "library not pinned": ("function-library", "chat", lambda p: p.json("cloudfunctions/chat/package.json", dependencies={"wx-server-sdk": "latest"})),
    # --- the settings
    "no store": ("setting-missing", "YUNLIAO_STORE_URL", lambda p: p.unset("YUNLIAO_STORE_URL")),
    "no keys": ("setting-missing", "YUNLIAO_MASTER_KEYS", lambda p: p.unset("YUNLIAO_MASTER_KEYS")),
    "no relay": ("setting-missing", "YUNLIAO_RELAY_URL", lambda p: p.unset("YUNLIAO_RELAY_URL")),
    "no model": ("setting-missing", "YUNLIAO_MODEL", lambda p: p.unset("YUNLIAO_MODEL")),
    "no appids": ("setting-missing", "YUNLIAO_APPIDS", lambda p: p.unset("YUNLIAO_APPIDS")),
    "misspelt": ("setting-unknown", "YUNLIAO_MODLE", lambda p: p.set(YUNLIAO_MODLE="x")),
    "quotes": ("setting-quoted", "YUNLIAO_MODEL", lambda p: p.set(YUNLIAO_MODEL='"deepseek-chat"')),
    "key too short": ("setting-wrong", "YUNLIAO_MASTER_KEYS", lambda p: p.set(YUNLIAO_MASTER_KEYS="k1:" + base64.b64encode(b"short").decode())),
    "label without AI": ("setting-wrong", "YUNLIAO_AI_LABEL", lambda p: p.set(YUNLIAO_AI_LABEL="机器回答")),
    "address of another kind": ("setting-wrong", "YUNLIAO_RELAY_URL", lambda p: p.set(YUNLIAO_RELAY_URL="api.deepseek.com")),
    "counting key": ("key-weak", "YUNLIAO_MASTER_KEYS", lambda p: p.set(YUNLIAO_MASTER_KEYS=weak_ring(*range(32)))),
    "text as a key": ("key-weak", "YUNLIAO_MASTER_KEYS", lambda p: p.set(YUNLIAO_MASTER_KEYS=weak_ring(*b"this-is-my-32-byte-long-password"))),
    "guessable secret": ("secret-weak", "YUNLIAO_JOBS_SECRET", lambda p: p.set(YUNLIAO_JOBS_SECRET="mypassword123456")),
    "one letter": ("secret-weak", "YUNLIAO_METRICS_TOKEN", lambda p: p.set(YUNLIAO_METRICS_TOKEN="a" * 32)),
    "the same secret twice": ("secret-shared", "", lambda p: p.set(YUNLIAO_METRICS_TOKEN=GOOD["YUNLIAO_JOBS_SECRET"])),
    "placeholder": ("secret-example", "YUNLIAO_RELAY_KEY", lambda p: p.set(YUNLIAO_RELAY_KEY="sk-your-key-here")),
    "development": ("env-development", "YUNLIAO_ENV", lambda p: p.set(YUNLIAO_ENV="development")),
    "another appid": ("appid-not-allowed", "YUNLIAO_APPIDS", lambda p: p.set(YUNLIAO_APPIDS="wxffffffffffffffff")),
    "trial store refused": ("setting-wrong", "YUNLIAO_STORE_URL", lambda p: p.set(YUNLIAO_STORE_URL="sqlite:////tmp/y.db")),
    "trial store": ("store-trial", "YUNLIAO_STORE_URL", lambda p: p.set(YUNLIAO_STORE_URL="sqlite:////tmp/y.db", YUNLIAO_TRIAL_STORE="on")),
    "trial with instances": ("instances-many", "maxNum", lambda p: p.set(YUNLIAO_STORE_URL="sqlite:////tmp/y.db", YUNLIAO_TRIAL_STORE="on")),
    "trial that sleeps": ("instances-none", "minNum", lambda p: (p.set(YUNLIAO_STORE_URL="sqlite:////tmp/y.db", YUNLIAO_TRIAL_STORE="on"), p.json("container.config.json", minNum=0))),
    "cold starts": ("instances-cold", "minNum", lambda p: p.json("container.config.json", minNum=0)),
    "one MongoDB alone": ("store-no-set", "YUNLIAO_STORE_URL", lambda p: p.set(YUNLIAO_STORE_URL="mongodb://10.0.0.5:27017/yunliao")),
    "MongoDB in the container": ("store-here", "YUNLIAO_STORE_URL", lambda p: p.set(YUNLIAO_STORE_URL="mongodb://localhost:27017/yunliao?replicaSet=rs0")),
    "relay in the container": ("relay-here", "YUNLIAO_RELAY_URL", lambda p: p.set(YUNLIAO_RELAY_URL="http://127.0.0.1:11434/v1")),
    "relay in the clear": ("relay-plain", "YUNLIAO_RELAY_URL", lambda p: p.set(YUNLIAO_RELAY_URL="http://api.deepseek.com/v1")),
    "relay abroad": ("relay-overseas", "YUNLIAO_RELAY_URL", lambda p: p.set(YUNLIAO_RELAY_URL="https://api.openai.com/v1", YUNLIAO_RELAY_DOMESTIC="off")),
    "abroad, called domestic": ("relay-not-domestic", "YUNLIAO_RELAY_DOMESTIC", lambda p: p.set(YUNLIAO_RELAY_URL="https://api.openai.com/v1")),
    "https to the sidecar": ("wechat-api-changed", "YUNLIAO_WECHAT_API_URL", lambda p: p.set(YUNLIAO_WECHAT_API_URL="https://api.weixin.qq.com")),
    "long grace": ("grace-long", "YUNLIAO_GRACE_SECONDS", lambda p: p.set(YUNLIAO_GRACE_SECONDS="60")),
    "customer service without a lock": ("push-unlocked", "YUNLIAO_PUSH_SECRET", lambda p: p.set(YUNLIAO_CUSTOMER_SERVICE="on")),
    "public chat": ("public-chat", "YUNLIAO_PUBLIC", lambda p: p.set(YUNLIAO_PUBLIC="on")),
    "public and deaf": ("public-deaf", "YUNLIAO_FUNCTION_SECRET", lambda p: (p.set(YUNLIAO_PUBLIC="on"), p.unset("YUNLIAO_FUNCTION_SECRET"), p.unset("YUNLIAO_JOBS_SECRET"))),
    "no jobs": ("jobs-closed", "YUNLIAO_JOBS_SECRET", lambda p: p.unset("YUNLIAO_JOBS_SECRET")),
    "no filing number": ("provider-unnamed", "YUNLIAO_FILING", lambda p: p.unset("YUNLIAO_FILING")),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_and_named(project: Project, name: str) -> None:
    kind, place, seed = MISTAKES[name]
    seed(project)
    findings = project.findings()
    assert [one for one in findings if one.kind == kind and place in one.place], findings
    told = examine.report(findings, as_json=False)
    assert "{" not in told.replace("{{", "").replace("{ env:", "").replace("[{", "") or kind in (
        "function-trigger",
        "port-fixed",
    )
    for value in project.values.values():
        assert len(value) < 16 or value not in told


def test_lines_of_the_file_itself(project: Project, tmp_path: pathlib.Path) -> None:
    assert [one.kind for one in project.findings("no equals sign\n")] == ["settings-unreadable"]
    assert [one.kind for one in project.findings("YUNLIAO_MODEL=deepseek-chat\n")] == ["setting-twice"]
    project.settings.write_bytes(b"\xff\xfe")
    assert [one.kind for one in examine.project(project.root, project.settings)] == ["settings-unreadable"]
    project.findings()
    project.settings.chmod(0o644)
    assert [one.kind for one in examine.project(project.root, project.settings)] == ["settings-readable"]
    tracked = project.root / "production.env"
    shutil.copyfile(project.settings, tracked)
    tracked.chmod(0o600)
    subprocess.run(["git", "add", "-f", "production.env"], cwd=project.root, check=True)
    assert [one.kind for one in examine.project(project.root, tracked)] == ["settings-tracked"]


def test_npm_out_of_step_is_found_with_the_libraries_installed(tmp_path: pathlib.Path) -> None:
    """In this checkout, where they are: a file of a library changes, and the check of the step before it says so."""
    root = tmp_path / "yunliao"
    shutil.copytree(ROOT / "miniprogram", root / "miniprogram")
    shutil.copytree(ROOT / "tools/miniprogram-npm", root / "tools/miniprogram-npm")
    shutil.copytree(ROOT / "tools/preview", root / "tools/preview")
    shutil.copyfile(ROOT / "package.json", root / "package.json")
    (root / "node_modules").symlink_to(ROOT / "node_modules")
    kinds = {one.kind for one in examine.project(root)}
    assert "npm-out-of-step" not in kinds
    changed = next((root / "miniprogram/miniprogram_npm/tdesign-miniprogram").rglob("*.wxss"))
    changed.write_text(changed.read_text() + "/* edited by hand */")
    assert "npm-out-of-step" in {one.kind for one in examine.project(root)}


def test_it_runs_before_setup_and_says_it_all_as_json(project: Project) -> None:
    (project.root / ".venv").unlink()
    for name in ("tools", "dev.py"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project.root / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copyfile(source, project.root / name)
    project.set(YUNLIAO_MODLE=CANARY)
    project.unset("YUNLIAO_APPIDS")
    project.findings()
    command = [sys.executable, "-I", "-S", "dev.py", "doctor", "--env-file", str(project.settings), "--json"]
    ran = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert {one["kind"] for one in told["findings"]} == {"setting-missing", "setting-unknown"}
    assert told["errors"] == 2
    assert CANARY not in ran.stdout
    for one in told["findings"]:
        assert all(one[name] for name in ("what", "what_zh", "why", "why_zh", "fix", "fix_zh", "place", "level"))


def test_every_kind_can_be_found_and_is_documented() -> None:
    elsewhere = pathlib.Path(__file__).with_name("test_running.py").read_text(encoding="utf-8")
    seeded = {kind for kind, _, _ in MISTAKES.values()}
    here = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert {kind for kind in KINDS if kind not in seeded and f'"{kind}"' not in elsewhere + here} == set()
    for page in ("docs/doctor.md", "docs/doctor.zh-CN.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        rows = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
        assert rows == set(KINDS), page
