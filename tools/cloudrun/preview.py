"""What `/` shows when no preview server is set: a plain page saying what to try."""

from aiohttp import web

PAGE = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>云聊 · local Cloud Run</title>
<style>body{font:16px/1.7 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;overflow:auto}</style>
<h1>云聊 Yunliao</h1>
<p>本地云托管正在运行。<br>The local Cloud Run is running.</p>
<p>在终端里试一试：<br>Try this in a terminal:</p>
<pre>curl -s -X PUT 'ORIGIN/v1/me/consent' -H 'X-WX-SERVICE: yunliao' -H 'X-Local-User: alice' \\
  -H 'Content-Type: application/json' -d '{"version": "latest"}'

curl -s 'ORIGIN/v1/turns?wait=5' -H 'X-WX-SERVICE: yunliao' -H 'X-Local-User: alice' \\
  -H 'Content-Type: application/json' -d '{"client_id": "my-first-turn", "text": "用三句话介绍你自己"}'

curl -s ORIGIN/__local/state</pre>
</html>
"""


def welcome(request: web.Request) -> web.Response:
    """The page, or a 404 that names what is here."""
    if request.path != "/":
        return web.json_response(
            {"error": "nothing is here; the API is under /v1, the control plane under /__local"}, status=404
        )
    origin = f"http://{request.host}" if all(c.isalnum() or c in ".:-[]" for c in request.host) else ""
    return web.Response(text=PAGE.replace("ORIGIN", origin), content_type="text/html")
