"""All checks in one order, and the two ways to say what they found."""

import json
import pathlib
from collections.abc import Sequence

from doctor import console, functions, phone, privacy, running, upload
from doctor.finding import Finding
from doctor.tree import Tree


def project(root: pathlib.Path, settings: pathlib.Path | None = None) -> list[Finding]:
    """Before the deployment: the checkout, and the settings file if there is one."""
    tree = Tree(root)
    findings = [finding for check in (upload, phone, privacy, functions) for finding in check.check(tree)]
    if settings is not None:
        findings += console.check(tree, settings)
    return _sorted([*tree.findings, *findings])


def service(root: pathlib.Path, url: str) -> list[Finding]:
    """After it: the running service."""
    return _sorted(list(running.check(url.rstrip("/"), str(Tree(root).json("project.config.json").get("appid", "")))))


def report(findings: Sequence[Finding], *, as_json: bool) -> str:
    """The text for standard output."""
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        shown = {"errors": errors, "warnings": len(findings) - errors, "findings": [one.said() for one in findings]}
        return json.dumps(shown, ensure_ascii=False, indent=2)
    if not findings:
        return "✓ 没有发现问题。 Nothing was found."
    told = "\n".join(finding.lines() for finding in findings)
    return f"{told}\n{errors} 个错误 errors, {len(findings) - errors} 个提醒 warnings"


def _sorted(findings: list[Finding]) -> list[Finding]:
    unique = list(dict.fromkeys(findings))
    return sorted(unique, key=lambda finding: finding.level != "error")
