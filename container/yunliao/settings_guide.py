"""What a mistake in the settings means to the person who types them into the console: which one, what it is for, where
it goes, an example; in both languages, and never a value (`Settings` names none in its problems)."""

import re
from collections.abc import Sequence

import msgspec

from yunliao.settings import VARIABLES

WHERE_ZH = "微信云托管控制台 → 服务列表 → 你的服务 → 服务设置 → 环境变量"
WHERE = "Cloud Run console: the service, 服务设置 (service settings) → 环境变量 (environment variables)"
THEN_ZH = "保存后发布一个新版本即可生效。"
THEN = "Save it and publish a new version."

MEANINGS_ZH = {
    "YUNLIAO_RELAY_URL": "模型服务（OpenAI 兼容接口）的地址",
    "YUNLIAO_RELAY_KEY": "模型服务的密钥",
    "YUNLIAO_RELAYS": "多个模型服务的列表",
    "YUNLIAO_MODEL": "默认使用的模型名",
    "YUNLIAO_MODELS": "用户可以选择的模型",
    "YUNLIAO_STORE_URL": "对话记录保存在哪里：MongoDB 副本集；试用可以是 SQLite",
    "YUNLIAO_TRIAL_STORE": "试用时允许使用容器内的 SQLite",
    "YUNLIAO_MASTER_KEYS": "加密对话记录的主密钥，用 openssl rand -base64 32 生成",
    "YUNLIAO_APPIDS": "允许调用本服务的小程序 appid",
    "YUNLIAO_ENV": "运行方式：production 或 development",
    "YUNLIAO_WECHAT_API_URL": "微信服务端接口的地址，一般不用改",
    "YUNLIAO_JOBS_SECRET": "定时任务的共享密钥",
    "YUNLIAO_FUNCTION_SECRET": "云函数签名调用者身份所用的密钥",
    "YUNLIAO_METRICS_TOKEN": "查看指标所用的令牌",
    "YUNLIAO_AI_NOTICE": "聊天页始终显示的 AI 提示",
    "YUNLIAO_AI_LABEL": "每条回答上的 AI 标识",
    "YUNLIAO_RATE_LIMIT": "每个用户的发送频率",
    "PORT": "容器监听的端口",
    "YUNLIAO_RELAY_DOMESTIC": "on 表示模型服务的服务器在中国大陆",
    "YUNLIAO_MAX_LIVE": "一个实例同时进行的回答数",
    "YUNLIAO_MAX_LIVE_TOTAL": "所有实例同时进行的回答总数；0：除每个实例的上限外不限",
    "YUNLIAO_CHECKS_PER_MINUTE": "微信给这个 appid 的 msgSecCheck 每分钟调用次数；微信提额之后才能调大",
    "YUNLIAO_CHECKS_PER_DAY": "微信给这个 appid 的 msgSecCheck 每天调用次数",
    "YUNLIAO_MAX_QUEUE": "可以排队等待的数量",
    "YUNLIAO_QUEUE_SECONDS": "最长排队时间，秒",
    "YUNLIAO_MAX_TEXT": "一条消息的最大字符数",
    "YUNLIAO_CONTEXT_TOKENS": "模型一次能读的 token 数",
    "YUNLIAO_ANSWER_TOKENS": "一个回答的最大 token 数",
    "YUNLIAO_SYSTEM_PROMPT": "最先告诉模型的话",
    "YUNLIAO_RELAY_CONNECT_SECONDS": "连接时限，秒",
    "YUNLIAO_RELAY_FIRST_BYTE_SECONDS": "首字节时限，秒",
    "YUNLIAO_RELAY_SILENCE_SECONDS": "回答途中最长静默，秒",
    "YUNLIAO_RELAY_TOTAL_SECONDS": "整个回答的时限，秒",
    "YUNLIAO_RELAY_HEDGE_SECONDS": "静默这么久后同时询问第二个上游，秒；0 为从不",
    "YUNLIAO_RELAY_MODERATION": "on 表示同时使用模型服务的 /v1/moderations",
    "YUNLIAO_WORDS_FILE": "自定义词表文件，每行一个",
    "YUNLIAO_LEASE_SECONDS": "实例失联多久后由别的实例接手，秒",
    "YUNLIAO_GRACE_SECONDS": "收到 SIGTERM 后留给进行中回答的时间，秒",
    "YUNLIAO_EVENT_HOURS": "回答结束后事件保留的小时数",
    "YUNLIAO_NAME": "展示的名称",
    "YUNLIAO_PROVIDER": "“关于”页的服务提供者",
    "YUNLIAO_FILING": "展示的算法备案号",
    "YUNLIAO_CONTACT": "展示的联系方式",
    "YUNLIAO_IMAGE_HOSTS": "允许显示图片的域名",
    "YUNLIAO_PRICES": "额度的价格、套餐与上限：JSON 或 JSON 文件路径；空：一切免费",
    "YUNLIAO_PUSH_SECRET": "消息推送路径的最后一段 /wx/push/<secret>；空：/wx/push（机密）",
    "YUNLIAO_TEXTS_DIR": "放您自己的用户协议与隐私说明的文件夹；缺少的用内置文本",
    "YUNLIAO_KEYS_URL": "数据密钥的一半保存在哪里，与备份分开；空：与记录放在一起（机密）",
    "YUNLIAO_HISTORY_DAYS": "消息保留天数；0：由用户自己删除",
    "YUNLIAO_VERDICT_DAYS": "内容安全判定记录（不含原文）保留天数；法规要求至少六个月",
    "YUNLIAO_COOLDOWN": "被拦截条数 / 时间范围 / 之后暂停发送的时长；off：不启用",
    "YUNLIAO_OPERATORS_IN_MINIPROGRAM": "on：允许用一次性代码绑定过的运营人员在小程序内操作",
    "CBR_ENV_ID": "云托管自动注入：拒绝其他环境的调用",
    "YUNLIAO_PUBLIC": "开启了公网访问的服务写 on：不再相信身份请求头，只接受签名调用",
    "YUNLIAO_CUSTOMER_SERVICE": "on：小程序客服消息由 AI 回答",
    "YUNLIAO_PUSH_TOKEN": "经公网域名的消息推送的 Token；空则不接受签名推送（密钥）",
    "YUNLIAO_PUSH_AES_KEY": "同上的 EncodingAESKey（密钥）",
    "YUNLIAO_HUMAN_WORDS": "客服消息里要求转人工的词，用逗号隔开",
}
"""What each setting is for."""

SAID_ZH: tuple[tuple[str, str], ...] = (
    (r"is missing", "没有填写"),
    (r"is not a setting of Yunliao", "不是云聊的设置，请检查拼写"),
    (r"must be an http:// or https:// address", "必须是 http:// 或 https:// 开头的地址"),
    (r"must not hold a user or password", "地址里不能带用户名或密码"),
    (r"names no server", "没有写明服务器：mongodb://用户:密码@主机:端口/库名，特殊字符写成 %XX"),
    (r"must be mongodb://", "必须是 mongodb://…、mongodb+srv://… 或 sqlite:///路径"),
    (r"is SQLite, whose file", "是 SQLite，文件会随容器丢失：请换成 MongoDB，或试用时设置 YUNLIAO_TRIAL_STORE=on"),
    (r"each key is id:base64", "每把密钥写成 名称:base64，名称为 1 到 16 个字母、数字、- 或 _"),
    (r"is not base64", "有一把密钥不是 base64"),
    (r"has \d+ bytes, 32 are needed", "有一把密钥不是 32 字节"),
    (r"is not random", "有一把密钥不是随机生成的"),
    (r"two keys have the same id", "两把密钥同名"),
    (r"must be appids", "必须是用逗号隔开的 appid"),
    (r"must be a count per time", "必须是“次数/时间”"),
    (r"each model is id", "每个模型写成 id 或 id=名称，用逗号隔开"),
    (r"must be a whole number from (\S+) to (\S+)\.", r"必须是 \1 到 \2 的整数"),
    (r"must be a number", "必须是数字"),
    (r"must be from (\S+) to (\S+)\. ", r"必须在 \1 到 \2 之间"),
    (r"must be on or off", "必须是 on 或 off"),
    (r"must be (\w+) or (\w+)\.", r"必须是 \1 或 \2"),
    (r"is too short for a secret", "太短，至少 16 个字符"),
    (r"must contain 人工智能", "必须同时含有“人工智能”或“AI”，以及“生成”或“合成”，不超过 60 字"),
    (r"must be printable ASCII", "含有不能放进 HTTP 请求头的字符"),
    (r"must have at most (\d+) characters", r"不能超过 \1 个字符"),
    (r"must be printable words of at most (\d+) characters", r"必须是用逗号隔开的词，每个不超过 \1 个字符"),
    (r"must be the 43 letters", "必须是 EncodingAESKey 的 43 个字母和数字"),
    (r"must be host names", "必须是用逗号隔开的域名"),
    (r"exclude each other", "与 YUNLIAO_RELAYS 只能填一个"),
    (r"does not list YUNLIAO_MODEL", "里没有 YUNLIAO_MODEL 的模型"),
    (r"is more than half of", "超过了 YUNLIAO_CONTEXT_TOKENS 的一半"),
)

FOUND_LATER: tuple[tuple[str, str, str, str], ...] = (
    (
        r"YUNLIAO_MASTER_KEYS.*lacks|lacks the key",
        "YUNLIAO_MASTER_KEYS",
        "缺少保存数据时所用的密钥，请把它加在第一把之后",
        "lacks a key that the store was written with: add it behind the first one",
    ),
    (
        r"YUNLIAO_MASTER_KEYS",
        "YUNLIAO_MASTER_KEYS",
        "与保存数据时所用的密钥不同，请换回原来的",
        "is not what the store was written with: use those keys again",
    ),
    (
        r"single MongoDB server",
        "YUNLIAO_STORE_URL",
        "是单机 MongoDB，需要副本集",
        "is a single MongoDB server: a replica set is needed",
    ),
    (r"YUNLIAO_STORE_URL", "YUNLIAO_STORE_URL", "不是可用的 MongoDB 地址", "is no MongoDB address that can be used"),
    (
        r"YUNLIAO_KEYS_URL",
        "YUNLIAO_KEYS_URL",
        "不是保存数据时所用的密钥库，请换回原来的",
        "is not the key store that the records were written with: use that one again",
    ),
    (
        r"word list",
        "YUNLIAO_WORDS_FILE",
        "指定的词表读不了，应为 UTF-8 文本",
        "names a list that cannot be read as UTF-8",
    ),
    (r"YUNLIAO_TEXTS_DIR", "YUNLIAO_TEXTS_DIR", "里有读不了的文件", "holds a file that cannot be read"),
)
"""Mistakes that only show when stores and files are opened: a sign in the error's detail, the setting, and words for
people in which nothing of a value is."""


class Mistake(msgspec.Struct, frozen=True):
    """One setting that keeps the service from working. `state`: missing, wrong, or unknown (no such setting)."""

    name: str
    state: str
    problem: str
    problem_zh: str
    meaning: str
    meaning_zh: str
    example: str

    @property
    def line_zh(self) -> str:
        """One line for the screen of a phone."""
        meaning = f"（{self.meaning_zh}）" if self.meaning_zh and self.state != "unknown" else ""
        return f"{self.name} {self.problem_zh}{meaning}"

    @property
    def line(self) -> str:
        """The same in English."""
        return f"{self.name} {self.problem}"


def explain(problems: Sequence[str]) -> list[Mistake]:
    """The problems of `SettingsError`, in their order, the first one of each setting."""
    known = {variable.name: variable for variable in VARIABLES}
    found: dict[str, Mistake] = {}
    for problem in problems:
        name, _, said = problem.partition(" ")
        said, _, example = said.partition(" Example: ")
        variable = known.get(name)
        state = "missing" if said.startswith("is missing") else "wrong" if variable else "unknown"
        found.setdefault(
            name,
            Mistake(
                name=name,
                state=state,
                problem=said.rstrip(". "),
                problem_zh=_chinese(f"{said} "),
                meaning=variable.meaning if variable else "",
                meaning_zh=MEANINGS_ZH.get(name, ""),
                example=example or (variable.example if variable else ""),
            ),
        )
    return list(found.values())


def _chinese(said: str) -> str:
    for pattern, text in SAID_ZH:
        hit = re.search(pattern, said)
        if hit:
            return hit.expand(text)
    return "填写有误"


def explain_later(detail: str) -> list[Mistake]:
    """The mistake behind a `Misconfigured` error; empty when it is of no setting that is known here."""
    known = {variable.name: variable for variable in VARIABLES}
    for sign, name, problem_zh, problem in FOUND_LATER:
        if re.search(sign, detail):
            variable = known.get(name)
            return [
                Mistake(
                    name=name,
                    state="wrong",
                    problem=problem,
                    problem_zh=problem_zh,
                    meaning=variable.meaning if variable else "",
                    meaning_zh=MEANINGS_ZH.get(name, ""),
                    example=variable.example if variable else "",
                )
            ]
    return []
