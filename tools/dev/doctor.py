"""`dev.py doctor`: finds what would go wrong with a deployment. Runs before anything is installed."""

import argparse
import pathlib

from dev.trouble import Trouble
from doctor import examine


def run(root: pathlib.Path, options: argparse.Namespace) -> int:
    """0 when no finding is an error."""
    settings = pathlib.Path(options.env_file) if options.env_file else None
    if settings and not settings.exists():
        raise Trouble(f"{settings}: no such file. Copy your environment variables into it, one NAME=value a line.")
    findings = []
    if not options.url or settings:
        findings += examine.project(root, settings)
    if options.url:
        findings += examine.service(root, options.url)
    print(examine.report(findings, as_json=options.json))
    if not settings and not options.url and not options.json:
        print("加上 --env-file FILE 检查控制台的环境变量 · --env-file FILE checks the console's settings as well")
    return 1 if any(finding.level == "error" for finding in findings) else 0
