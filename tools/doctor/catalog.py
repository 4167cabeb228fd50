"""Every kind of finding: what is wrong, why it matters, the exact fix. docs/doctor.md lists the same (a test compares).

`why` cites no source where platform.md's facts are the platform's own documentation: see docs/deploy.md for those.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """One row; sentences may have {blanks}."""

    level: str
    what_zh: str
    what: str
    why_zh: str
    why: str
    fix_zh: str
    fix: str


KINDS: dict[str, Kind] = {
    # --- files of the upload -------------------------------------------------------------------------------------
    "file-missing": Kind(
        "error", "缺少文件 {name}。", "{name} is missing.",
        "没有它，构建、上传或启动会失败。", "Without it the build, the upload or the start fails.",
        "从仓库恢复：git checkout -- {name}", "Restore it: git checkout -- {name}"),
    "json-broken": Kind(
        "error", "不是有效的 JSON（第 {line} 行附近）。", "Not valid JSON (near line {line}).",
        "开发者工具或控制台无法读取。", "DevTools or the console cannot read it.",
        "检查多余或缺少的逗号、引号、括号。", "Look for a comma, quote or bracket too many or too few."),
    "port-differs": Kind(
        "error", "端口不一致：这里是 {here}，Dockerfile 是 {image}。", "Ports differ: {here} here, {image} in the Dockerfile.",
        "控制台的端口必须等于进程监听的端口，否则 Readiness probe failed。",
        "The console's port must be the one the process listens on, or the readiness probe fails.",
        "都改成 {image}。", "Write {image} in both."),
    "port-fixed": Kind(
        "error", "gunicorn.conf.py 没有使用 PORT。", "gunicorn.conf.py does not take its port from PORT.",
        "镜像里写的端口就不起作用了。", "The port that the image names has no effect then.",
        "恢复 bind = f\"0.0.0.0:{{os.environ.get('PORT', '80')}}\"", "Restore bind = f\"0.0.0.0:{{os.environ.get('PORT', '80')}}\""),
    "image-shell-command": Kind(
        "error", "CMD 不是 JSON 列表。", "CMD is not a JSON list.",
        "SIGTERM 只会到达 shell，发布新版本时正在生成的回答会被切断。",
        "SIGTERM ends the shell and not the server: a new version cuts live answers off.",
        'CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]', 'CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]'),
    "image-root": Kind(
        "error", "镜像以 root 运行。", "The image runs as root.",
        "容器里的任何漏洞都会得到全部权限。", "Any hole in the container gives everything away.",
        "在 CMD 之前写 USER 10001。", "Write USER 10001 before CMD."),
    "image-certificates": Kind(
        "error", "镜像里没有安装 ca-certificates。", "The image does not install ca-certificates.",
        "开放接口服务启动时要运行 update-ca-certificates，没有它部署会失败；也无法用 https 访问模型服务。",
        "The open interface service runs update-ca-certificates at the start and fails without it; so does https to the relay.",
        "在 apt-get install 里加上 ca-certificates。", "Add ca-certificates to apt-get install."),
    "image-time-zone": Kind(
        "warning", "镜像没有 TZ=UTC 或没有 tzdata。", "The image lacks TZ=UTC or tzdata.",
        "日志时间会随基础镜像变化；配额按北京时间的零点计算需要时区数据。",
        "Log times change with the base image, and the daily quota of Beijing time needs zone data.",
        "ENV TZ=UTC，并在 apt-get install 里加上 tzdata。", "ENV TZ=UTC, and tzdata in apt-get install."),
    "lock-unhashed": Kind(
        "error", "{count} 个包没有哈希。", "{count} packages have no hash.",
        "pip 的 --require-hashes 会拒绝安装，构建失败。", "pip --require-hashes refuses to install: the build fails.",
        "运行 python3 tools/lock.py 重新生成。", "Make it anew: python3 tools/lock.py"),
    "package-large": Kind(
        "error", "上传包有 {size} 字节，控制台最多 2 MiB。", "The upload has {size} bytes; the console takes 2 MiB.",
        "手动上传会被拒绝。", "The upload will be refused.",
        "看看 container/ 里多了什么大文件：{largest}", "See what large file came into container/: {largest}"),
    "package-secret": Kind(
        "error", "会随包上传的文件里可能有密钥或数据。", "A file of the upload may hold secrets or data.",
        "上传包里的内容会留在镜像里，任何能拉取镜像的人都看得到。",
        "What is in the upload stays in the image, for everybody who can pull it.",
        "移出 container/，把值填到控制台的环境变量里；已经泄露的密钥要更换。",
        "Move it out of container/ and put values into the console's environment variables; replace what has leaked."),
    "instances-many": Kind(
        "error", "SQLite 只能用一个实例，maxNum 是 {most}。", "SQLite serves one instance only; maxNum is {most}.",
        "每个实例会有自己的一份数据，用户的对话会忽隐忽现。", "Each instance has data of its own: conversations come and go.",
        "把 container.config.json 的 maxNum（控制台的实例副本数上限）改成 1，或改用 MongoDB。",
        "Set maxNum (实例副本数 upper bound in the console) to 1, or use MongoDB."),
    "instances-none": Kind(
        "error", "SQLite 的数据会随缩容到 0 丢失，minNum 是 {least}。", "SQLite is lost with scale to zero; minNum is {least}.",
        "30 分钟没有请求，实例和其中的数据一起消失。", "After 30 minutes without requests the instance goes, and the data with it.",
        "把 minNum（控制台的实例副本数下限）改成 1，或改用 MongoDB。", "Set minNum (实例副本数 lower bound) to 1, or use MongoDB."),
    "instances-cold": Kind(
        "warning", "最小实例数是 0。", "The smallest number of instances is 0.",
        "半小时没人用之后，第一条消息要等容器启动。", "After half an hour without use the first message waits for a cold start.",
        "控制台 服务设置 → 实例副本数 → 最小 1；或用定时扩缩容只在白天保留 1 个。",
        "Console: 服务设置 → 实例副本数 → at least 1, or 定时扩缩容 for daytime only."),
    # --- the mini-program ----------------------------------------------------------------------------------------
    "appid-tourist": Kind(
        "error", "appid 还是 touristappid（游客）。", "The appid is still touristappid.",
        "游客 appid 不能使用云托管，也不能上传。", "A tourist may use no Cloud Run and upload nothing.",
        "在 project.config.json 写上你的 appid（小程序后台 → 开发管理 → 开发设置）。",
        "Put your own appid into project.config.json (mp console: 开发管理 → 开发设置)."),
    "appid-form": Kind(
        "error", "appid 的写法不对。", "The appid is not of the right form.",
        "开发者工具无法打开项目。", "DevTools cannot open the project with it.",
        "应为 wx 加 16 个十六进制字符，例如 wx0123456789abcdef。", "It is wx and 16 hexadecimal digits, e.g. wx0123456789abcdef."),
    "env-local": Kind(
        "error", "云环境还是 local-env。", "The environment is still local-env.",
        "手机上的小程序会找不到云托管环境（-601027）。", "On a phone the mini-program finds no environment (-601027).",
        "在 miniprogram/config.js 写上控制台左上角的环境 ID，例如 prod-1a2b3c4d。",
        "Put the id from the top left of the Cloud Run console into miniprogram/config.js, e.g. prod-1a2b3c4d."),
    "env-form": Kind(
        "error", "云环境 ID 或服务名的写法不对。", "The environment id or the service name is not of the right form.",
        "调用会以 -601027 或 -601031 失败。", "Calls fail with -601027 or -601031.",
        "config.js 应为 {{ env: 'prod-1a2b3c4d', service: 'yunliao' }}；小写字母、数字和连字符。",
        "config.js: {{ env: 'prod-1a2b3c4d', service: 'yunliao' }}; lower-case letters, digits and hyphens."),
    "library-old": Kind(
        "error", "基础库 {version} 太旧。", "Base library {version} is too old.",
        "callContainer 需要 2.23.0，隐私接口和剪贴板需要 2.32.3。", "callContainer needs 2.23.0, privacy and clipboard 2.32.3.",
        "把 libVersion 改成 3.5.0；并在小程序后台 设置 → 基本设置 → 基础库最低版本设置 选 2.32.3 以上。",
        "Set libVersion to 3.5.0, and 基础库最低版本设置 in the mp console to 2.32.3 or newer."),
    "root-wrong": Kind(
        "error", "{name} 应为 {right}。", "{name} should be {right}.",
        "开发者工具会找不到小程序或云函数。", "DevTools does not find the mini-program or the cloud functions.",
        "改成 \"{name}\": \"{right}\"。", "Write \"{name}\": \"{right}\"."),
    "page-missing": Kind(
        "error", "app.json 列出的页面 {page} 缺少文件 {name}。", "app.json lists the page {page}, whose {name} is missing.",
        "开发者工具编译会失败。", "DevTools cannot compile it.",
        "恢复文件，或从 app.json 删去这一页。", "Restore the file or take the page out of app.json."),
    "component-missing": Kind(
        "error", "用到的组件 {name} 不存在。", "The component {name} is used but not there.",
        "页面会编译失败或缺一块。", "The page does not compile or lacks a part.",
        "运行 node tools/miniprogram-npm/sync.js 补全 miniprogram_npm。", "Run node tools/miniprogram-npm/sync.js."),
    "npm-out-of-step": Kind(
        "error", "miniprogram_npm 与 package.json 不一致。", "miniprogram_npm does not match package.json.",
        "手机上跑的组件和测试过的不是同一份。", "What runs on phones is not what was tested.",
        "运行 node tools/miniprogram-npm/sync.js", "Run node tools/miniprogram-npm/sync.js"),
    "mini-large": Kind(
        "error", "主包有 {size} KB，最多 2048 KB。", "The main package has {size} KB; 2048 are allowed.",
        "上传会被拒绝。", "The upload will be refused.",
        "最大的文件：{largest}；改用分包或删去不用的资源。", "Largest file: {largest}. Use subpackages or leave out what is not needed."),
    "privacy-undeclared": Kind(
        "error", "{calls} 需要声明“{item}”，privacy.declared.json 里没有。",
        "{calls} needs {item} declared; privacy.declared.json does not have it.",
        "没有在用户隐私保护指引里声明的接口，在手机上会直接失败。",
        "An interface that the privacy guide does not declare fails on phones.",
        "小程序后台 设置 → 服务内容声明 → 用户隐私保护指引 勾选“{item}”，再写进 privacy.declared.json。",
        "Tick {item} in the mp console (设置 → 服务内容声明 → 用户隐私保护指引), then add it to privacy.declared.json."),
    "privacy-unused": Kind(
        "warning", "声明了“{item}”，但代码没有用到。", "{item} is declared, but nothing uses it.",
        "多余的收集声明会让审核追问，也让用户担心。", "Reviewers ask about it and people worry.",
        "从隐私保护指引和 privacy.declared.json 里去掉。", "Take it out of the privacy guide and of privacy.declared.json."),
    "location-undeclared": Kind(
        "error", "{call} 没有写进 app.json 的 requiredPrivateInfos。", "{call} is not in requiredPrivateInfos of app.json.",
        "地理位置接口不声明就不能用。", "Interfaces of location cannot be used undeclared.",
        "在 app.json 加 \"requiredPrivateInfos\": [\"{call}\"]。", "Add \"requiredPrivateInfos\": [\"{call}\"] to app.json."),
    "domain-needed": Kind(
        "warning", "{call} 需要配置已备案的服务器域名。", "{call} needs a filed server domain.",
        "没有域名时这个调用在手机上会失败；云聊本身只用 wx.cloud，不需要域名。",
        "Without a domain it fails on phones; Yunliao itself needs none, it uses wx.cloud only.",
        "改用 wx.cloud，或在小程序后台配置 request 合法域名。", "Use wx.cloud, or configure the domain in the mp console."),
    "mini-secret": Kind(
        "error", "小程序源码里有像密钥的文字。", "The mini-program's source has what looks like a key.",
        "小程序的代码任何人都能取出来。", "Anybody can take the code of a mini-program out of it.",
        "删去并立刻更换这把密钥；密钥只放在云托管的环境变量里。",
        "Delete it and replace the key at once; keys belong into the container's environment variables only."),
    "private-config": Kind(
        "warning", "个人设置文件被提交了。", "A personal settings file is under version control.",
        "它会覆盖 project.config.json，别人打开项目会得到你的设置。", "It overrides project.config.json for everybody else.",
        "git rm --cached {name}", "git rm --cached {name}"),
    # --- cloud functions -----------------------------------------------------------------------------------------
    "function-broken": Kind(
        "error", "云函数 {name} 缺少 {file}。", "The cloud function {name} lacks {file}.",
        "部署后无法运行。", "It cannot run when deployed.",
        "恢复：git checkout -- cloudfunctions/{name}", "Restore it: git checkout -- cloudfunctions/{name}"),
    "function-trigger": Kind(
        "error", "定时触发器必须恰好一个，写成 7 段的 cron。", "There must be exactly one timer trigger with a 7-field cron.",
        "触发器不会被创建，中断的回答没有人接手，过期的数据不会清理。",
        "No trigger is made: abandoned answers are not taken over, old data is not removed.",
        "\"triggers\": [{{\"name\": \"jobs\", \"type\": \"timer\", \"config\": \"0 * * * * * *\"}}]，改后在开发者工具里“上传触发器”。",
        "\"triggers\": [{{\"name\": \"jobs\", \"type\": \"timer\", \"config\": \"0 * * * * * *\"}}], then 上传触发器 in DevTools."),
    "function-library": Kind(
        "error", "云函数 {name} 的 wx-server-sdk 没有写死版本。", "The function {name} does not pin wx-server-sdk.",
        "云端安装时会得到没有测试过的版本。", "Installing in the cloud brings a version that was never tested.",
        "\"wx-server-sdk\": \"4.0.2\"", "\"wx-server-sdk\": \"4.0.2\""),
    # --- settings ------------------------------------------------------------------------------------------------
    "settings-unreadable": Kind(
        "error", "设置文件读不了（第 {line} 行）。", "The settings file cannot be read (line {line}).",
        "里面的设置没有检查到。", "Nothing in it was checked.",
        "每行写成 NAME=value，UTF-8 编码。", "One NAME=value a line, in UTF-8."),
    "setting-missing": Kind(
        "error", "{name} 没有填写。", "{name} is missing: {meaning}.",
        "服务会启动，但只会说明缺少什么，不能聊天。", "The service starts, but only to say what is missing.",
        "控制台 服务设置 → 环境变量 填写，例如 {example}", "Console: 服务设置 → 环境变量. Example: {example}"),
    "setting-wrong": Kind(
        "error", "{name} 填写有误。", "{name} {problem}.",
        "服务会启动，但只会说明哪里不对，不能聊天。", "The service starts, but only to say what is wrong.",
        "控制台 服务设置 → 环境变量 改正，例如 {example}", "Console: 服务设置 → 环境变量. Example: {example}"),
    "setting-unknown": Kind(
        "error", "{name} 不是云聊的设置。", "{name} is not a setting of Yunliao.",
        "拼错的设置等于没有设置，所以服务会拒绝工作。", "A misspelt setting is no setting: the service refuses to work.",
        "{near}", "{near}"),
    "setting-quoted": Kind(
        "error", "{name} 的值带着引号。", "The value of {name} is in quotes.",
        "控制台按原样使用，引号会成为值的一部分。", "The console takes it as it is: the quotes become part of the value.",
        "去掉引号。", "Take the quotes away."),
    "setting-twice": Kind(
        "error", "{name} 写了两次。", "{name} is there twice.",
        "只有一个会生效，往往不是想的那个。", "Only one of them counts, often the other one.",
        "只留一行。", "Keep one line."),
    "key-weak": Kind(
        "error", "{name} 里有能猜到的密钥。", "{name} holds a key that can be guessed.",
        "拿到数据库的人就能读出所有对话。", "Whoever gets the database can read every conversation.",
        "换成 openssl rand -base64 32 的输出（先加在最前面，旧的保留用来读）。",
        "Use the output of openssl rand -base64 32 (put it first, keep the old one for reading)."),
    "secret-weak": Kind(
        "error", "{name} 太容易猜。", "{name} can be guessed.",
        "它守着的入口谁都能进。", "The door it guards is open to everybody.",
        "换成 openssl rand -hex 16 的输出。", "Use the output of openssl rand -hex 16."),
    "secret-shared": Kind(
        "error", "{name} 与 {other} 的值相同。", "{name} and {other} have the same value.",
        "一处泄露，两处都开。", "One leak opens both.",
        "各用一个 openssl rand -hex 16 的输出。", "Give each an output of openssl rand -hex 16 of its own."),
    "secret-example": Kind(
        "error", "{name} 还是示例里的占位文字。", "{name} is still the placeholder of an example.",
        "模型服务会拒绝，或者密钥人人皆知。", "The relay refuses it, or everybody knows it.",
        "填上真正的值。", "Put the true value there."),
    "settings-tracked": Kind(
        "error", "设置文件在版本库里。", "The settings file is under version control.",
        "密钥会跟着代码传开，改也改不掉历史。", "Keys spread with the code, and history keeps them.",
        "git rm --cached {name}，加进 .gitignore，并更换其中的密钥。", "git rm --cached {name}, add it to .gitignore, replace its keys."),
    "settings-readable": Kind(
        "warning", "别的用户能读这个设置文件。", "Other users of this machine can read the settings file.",
        "里面有密钥。", "It holds keys.",
        "chmod 600 {name}", "chmod 600 {name}"),
    "env-development": Kind(
        "error", "YUNLIAO_ENV 是 development。", "YUNLIAO_ENV is development.",
        "开发方式放开了指标等入口，并装入演示词表。", "Development opens metrics to everybody and loads demo words.",
        "删去这一行，或写 production。", "Leave the line out, or say production."),
    "appid-not-allowed": Kind(
        "error", "YUNLIAO_APPIDS 里没有 project.config.json 的 appid。", "YUNLIAO_APPIDS lacks the appid of project.config.json.",
        "你的小程序会被自己的服务拒绝（403）。", "Your mini-program is refused by your own service (403).",
        "把它加进 YUNLIAO_APPIDS，用逗号隔开。", "Add it to YUNLIAO_APPIDS, separated by a comma."),
    "store-trial": Kind(
        "warning", "记录保存在容器里的 SQLite。", "Records are kept in SQLite inside the container.",
        "容器的磁盘不持久：发布新版本、重启、迁移都会清空所有对话。",
        "A container's disk does not last: a new version, a restart, a move empties everything.",
        "正式使用前换成 VPC 里的 MongoDB（docs/deploy.md）。", "Use a MongoDB in the VPC before you are in earnest (docs/deploy.md)."),
    "store-no-set": Kind(
        "error", "MongoDB 地址没有 replicaSet。", "The MongoDB address names no replicaSet.",
        "云聊要用事务，单机的 MongoDB 没有。", "Yunliao uses transactions; a server that stands alone has none.",
        "在地址末尾加 ?replicaSet=名称（云数据库控制台的连接串里有）。", "Add ?replicaSet=NAME, as the database's console shows it."),
    "store-here": Kind(
        "error", "MongoDB 地址指向容器自己。", "The MongoDB address points to the container itself.",
        "云托管的容器里没有数据库。", "There is no database inside a Cloud Run container.",
        "写上 VPC 里的内网地址，例如 10.0.0.5:27017。", "Use the private address in the VPC, e.g. 10.0.0.5:27017."),
    "relay-here": Kind(
        "error", "模型服务地址指向容器自己。", "The relay's address points to the container itself.",
        "容器里没有模型服务。", "There is no model service inside the container.",
        "写上它的公网或 VPC 内网地址。", "Use its public address, or the private one in the VPC."),
    "relay-plain": Kind(
        "warning", "模型服务走公网却没有加密（http）。", "The relay is reached over the open network without encryption (http).",
        "对话和密钥在路上谁都能看到。", "Messages and the key can be read on the way.",
        "改用 https:// 地址，或 VPC 内网地址。", "Use an https:// address, or a private one in the VPC."),
    "relay-overseas": Kind(
        "warning", "模型服务看起来在境外。", "The relay seems to be abroad.",
        "把对话发到境外要告知并取得单独同意；面向公众的服务要用已备案的模型。",
        "Sending conversations abroad needs notice and separate consent; public services need filed models.",
        "优先用境内模型；确实需要时看 docs/deploy.md 的“境外模型”。", "Prefer a domestic one; else see docs/deploy.md."),
    "relay-not-domestic": Kind(
        "error", "境外的模型服务被写成 YUNLIAO_RELAY_DOMESTIC=on。", "A relay abroad is declared with YUNLIAO_RELAY_DOMESTIC=on.",
        "没有同意出境的用户，对话也会被送出去。", "People who did not consent have their words sent abroad.",
        "改成 off。", "Say off."),
    "wechat-api-changed": Kind(
        "error", "YUNLIAO_WECHAT_API_URL 不是 http://api.weixin.qq.com。", "YUNLIAO_WECHAT_API_URL is not http://api.weixin.qq.com.",
        "开放接口服务只认这个地址；https 用的是自签名证书，内容安全检查会全部失败，没有回答能发出。",
        "The open interface service knows only this one; https there has a self-signed certificate: every check fails, and no answer goes out.",
        "删去这一行。", "Leave the line out."),
    "grace-long": Kind(
        "warning", "YUNLIAO_GRACE_SECONDS 超过 25 秒。", "YUNLIAO_GRACE_SECONDS is more than 25.",
        "平台大约 30 秒后强行结束实例，来不及收尾。", "The platform ends an instance after about 30 s: no time is left to clean up.",
        "改成 20。", "Say 20."),
    "jobs-closed": Kind(
        "warning", "没有 YUNLIAO_JOBS_SECRET，定时任务会被拒绝。", "Without YUNLIAO_JOBS_SECRET the jobs are refused.",
        "过期的数据不会清理，没人在看的中断回答不会接手。", "Old data is not removed; abandoned answers nobody looks at are not finished.",
        "openssl rand -hex 16，填到服务和云函数 timer 两处。", "openssl rand -hex 16, into the service and the function timer."),
    "push-unlocked": Kind(
        "warning", "客服消息打开了，但没有 YUNLIAO_PUSH_SECRET。", "Customer service is on without YUNLIAO_PUSH_SECRET.",
        "推送只靠平台的请求头辨认，官方对它写得很少；多一道密钥更稳妥。",
        "A push is told by the platform's headers alone, which are thinly documented: a secret in the path is a second lock.",
        "设置 YUNLIAO_PUSH_SECRET，并把控制台 消息推送 的路径改成 /wx/push/<密钥>。",
        "Set it, and make the path of 消息推送 in the console /wx/push/<secret>."),
    "public-chat": Kind(
        "warning", "YUNLIAO_PUBLIC=on：这个服务不认小程序用户的身份。", "YUNLIAO_PUBLIC=on: this service knows no user of the mini-program.",
        "它只适合给云函数用的那个服务；聊天用的服务写了它，所有人都会得到 403。",
        "It is for the service of the cloud functions only; on the one people chat with everybody gets 403.",
        "聊天用的服务删去这一行，并关闭公网访问。", "Leave it out for the service people chat with, and keep public access off there."),
    "public-deaf": Kind(
        "error", "YUNLIAO_PUBLIC=on，却没有 YUNLIAO_FUNCTION_SECRET 和 YUNLIAO_JOBS_SECRET。",
        "YUNLIAO_PUBLIC=on without YUNLIAO_FUNCTION_SECRET and YUNLIAO_JOBS_SECRET.",
        "没有任何调用能通过，这个服务什么也做不了。", "No call at all gets through: the service can do nothing.",
        "openssl rand -hex 32，填到服务和云函数两处。", "openssl rand -hex 32, into the service and the functions."),
    "provider-unnamed": Kind(
        "warning", "{name} 没有填写。", "{name} is empty.",
        "审核要求能看到服务提供者、算法备案号和联系方式。", "Reviewers want to see provider, filing number and contact.",
        "控制台 服务设置 → 环境变量 填写，例如 {example}", "Console: 服务设置 → 环境变量. Example: {example}"),
    # --- a running service ---------------------------------------------------------------------------------------
    "url-unreachable": Kind(
        "error", "连不上（{problem}）。", "Cannot be reached ({problem}).",
        "没有开公网访问时这是正常的，那就不需要 --url。", "Normal where public access is off: then --url is not needed.",
        "检查地址，或在控制台 服务设置 → 公网访问 查看。", "Check the address, and 公网访问 under 服务设置."),
    "url-not-yunliao": Kind(
        "error", "/healthz 没有像云聊那样回答（{problem}）。", "/healthz does not answer as Yunliao does ({problem}).",
        "地址可能是别的服务，或者容器没有启动。", "It may be another service, or the container is not up.",
        "看控制台的 服务日志；端口应为 8080。", "See 服务日志 in the console; the port is 8080."),
    "not-ready": Kind(
        "error", "服务还没有准备好：{problem}", "The service is not ready: {problem}",
        "现在不能聊天。", "Nobody can chat now.",
        "{fix_zh}", "{fix}"),
    "openapi-missing": Kind(
        "warning", "/openapi.json 没有给出接口说明。", "/openapi.json gives no description of the API.",
        "线上的可能不是这个版本。", "It may not be this version that is running.",
        "重新上传 python3 dev.py package 的结果。", "Upload the result of python3 dev.py package again."),
    "metrics-open": Kind(
        "error", "/metrics 不要令牌就能看。", "/metrics can be read without a token.",
        "用量、错误和模型用谁都看得到。", "Usage, errors and models are public.",
        "YUNLIAO_ENV=production，并设置 YUNLIAO_METRICS_TOKEN。", "YUNLIAO_ENV=production, and set YUNLIAO_METRICS_TOKEN."),
    "operator-open": Kind(
        "error", "{path} 不登录就能用。", "{path} can be used without signing in.",
        "任何人都能管理你的服务。", "Anybody can operate your service.",
        "立即关闭公网访问，检查运营者设置。", "Switch public access off at once and check the operator settings."),
    "jobs-open": Kind(
        "error", "/jobs 不要密钥就能运行。", "/jobs can be run without the secret.",
        "任何人都能触发清理。", "Anybody can start the clean-up.",
        "设置 YUNLIAO_JOBS_SECRET。", "Set YUNLIAO_JOBS_SECRET."),
    "user-open": Kind(
        "error", "没有身份也能调用用户接口。", "User routes answer without an identity.",
        "任何人都能花你的模型费用。", "Anybody can spend your money on models.",
        "立即关闭公网访问，重新上传正式的包。", "Switch public access off at once and upload the true package."),
    "forged-identity": Kind(
        "error", "公网上伪造的身份被接受了。", "A forged identity was believed over the public link.",
        "知道 openid 的人可以读到别人的对话，冒名发言。", "Whoever knows an openid reads another's conversations and speaks in their name.",
        "立即在 服务设置 → 公网访问 关闭；云函数要用公网时，另建一个服务并设置 YUNLIAO_PUBLIC=on。",
        "Switch 公网访问 off at once; where functions need it, make a second service with YUNLIAO_PUBLIC=on."),
    "push-open": Kind(
        "error", "公网上伪造的消息推送被接受了。", "A forged message push was believed over the public link.",
        "别人可以冒充微信让服务删除用户数据。", "Others can play WeChat and have people's data deleted.",
        "关闭公网访问，或设置 YUNLIAO_PUSH_TOKEN。", "Switch public access off, or set YUNLIAO_PUSH_TOKEN."),
    "url-plain": Kind(
        "error", "公网地址没有用 https。", "The public address is not https.",
        "密钥和对话在路上谁都能看到。", "Keys and words can be read on the way.",
        "用控制台给出的 https:// 域名。", "Use the https:// domain that the console shows."),
    "certificate-wrong": Kind(
        "error", "证书不被信任（{problem}）。", "The certificate is not trusted ({problem}).",
        "手机和云函数会拒绝连接。", "Phones and functions refuse to connect.",
        "用平台的默认域名，或更新自定义域名的证书。", "Use the platform's own domain, or renew your certificate."),
}  # fmt: skip
