"""`dev.py package`: makes the upload for the console and says what to type there."""

import argparse
import pathlib

from deploy.package import LIMIT, PackageTrouble, write
from dev.trouble import Trouble

FORM = """
在云托管控制台填写 · what to type into the Cloud Run console (docs/deploy.md has every step)

  服务列表 → 新建服务 → 服务名称        yunliao            the name the mini-program asks for
  部署发布 → 手动上传代码包 → 代码包    {path}
  端口                                  8080               port
  目标目录                              (空 empty)         target folder
  Dockerfile 名称                       Dockerfile
  服务设置 → 公网访问                   关闭 off           identity headers can be trusted only then
  服务设置 → 环境变量                   python3 dev.py doctor --env-file FILE 会列出还缺哪些 · lists what is missing
  云调用 → 开放接口服务                 开启 on, then make a new version
  云调用 → 云调用权限配置               /wxa/msg_sec_check
                                        客服消息由 AI 回答时再加 · with AI customer service also:
                                        /cgi-bin/message/custom/send  /cgi-bin/message/custom/typing
"""


def run(root: pathlib.Path, options: argparse.Namespace) -> int:
    """0 when the package was made."""
    into = pathlib.Path(options.into).resolve()
    try:
        size, digest, files = write(root, into)
    except PackageTrouble as trouble:
        raise Trouble(str(trouble)) from None
    print(f"{into}\n  {files} files, {size:,} bytes ({size * 100 // LIMIT} % of what the console takes)")
    print(f"  SHA-256 {digest}")
    print(FORM.format(path=into.name))
    return 0
