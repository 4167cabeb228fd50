"""The demo model's fixed texts, Chinese and English side by side; `{demo}` is the sentence that says it is a demo."""

DEMO = (
    "（这是演示模型的回答，不是真实的大模型。）",
    "(This is the demo model, not a real language model.)",
)
GENERAL = (
    "你问的是：「{short}」。\n\n我是云聊的演示模型，没有真正的知识，只能示范回答的样子：\n\n"
    "1. **先说结论**：接上真实的中转之后，这里就是模型的回答。\n"
    "2. **再说理由**：文字会像现在这样逐字出现，随时可以停止。\n"
    "3. **最后给出下一步**：试试「写一段代码」「列个表格」「写一首诗」。\n\n{demo}",
    "You asked: “{short}”.\n\nI am Yunliao's demo model. I know nothing of the world; I only show what an answer "
    "looks like:\n\n"
    "1. **First the conclusion**: with a real relay configured, the model's answer appears here.\n"
    "2. **Then the reason**: text arrives piece by piece, and you can stop it at any time.\n"
    "3. **Then the next step**: try “write some code”, “make a table” or “write a poem”.\n\n{demo}",
)
INTRODUCTION = (
    "你好，我是云聊的演示模型，这是演示模型的回答。"
    "我按固定的规则作答，用来让你在没有密钥、没有网络的情况下试用整个流程。"
    "接上任何兼容 OpenAI 接口的中转之后，我就会让位给真正的模型。",
    "Hello, I am Yunliao's demo model, and this is a demo answer. "
    "I answer by fixed rules, so that you can try everything without a key and without a network. "
    "Point Yunliao at any OpenAI-compatible relay and a real model takes my place.",
)
ABILITIES = (
    "## 我能演示什么\n\n- 自我介绍\n- 代码、列表、表格和诗\n- 简单的算术，例如 `12 * (3 + 4)`\n"
    "- 长文（说「写一篇长文」）\n- 记住这次对话：问我「我刚才说了什么」\n\n{demo}",
    "## What I can show\n\n- an introduction\n- code, lists, tables and poems\n"
    "- simple arithmetic such as `12 * (3 + 4)`\n- a long text (say “a long text”)\n"
    "- this conversation: ask “what did I say before”\n\n{demo}",
)
_PROGRAM = (
    "```python\ndef fibonacci(count):\n    numbers, a, b = [], 0, 1\n    for _ in range(count):\n"
    "        numbers.append(a)\n        a, b = b, a + b\n    return numbers\n\n\nprint(fibonacci(8))\n```"
)
CODE = (
    "下面是一个 Python 例子，计算斐波那契数列：\n\n"
    + _PROGRAM
    + "\n\n运行后会输出 `[0, 1, 1, 2, 3, 5, 8, 13]`。\n\n{demo}",
    "A Python example, the Fibonacci numbers:\n\n" + _PROGRAM + "\n\nIt prints `[0, 1, 1, 2, 3, 5, 8, 13]`.\n\n{demo}",
)
TABLE = (
    "### 三种传输方式\n\n| 方式 | 用在哪里 | 特点 |\n|---|---|---|\n| WebSocket | 手机 | 最快，断线可续 |\n"
    "| 长轮询 | 所有环境 | 最稳 |\n| SSE | 浏览器、命令行 | 最简单 |\n\n{demo}",
    "### Three transports\n\n| transport | where | strength |\n|---|---|---|\n"
    "| WebSocket | phones | fastest, resumes |\n| long poll | everywhere | steadiest |\n"
    "| SSE | browsers, terminals | simplest |\n\n{demo}",
)
LIST = (
    "### 出门前的清单\n\n1. 钥匙\n2. 手机\n   - 充好电\n   - 带上充电线\n3. 雨伞\n4. 一个好心情\n\n{demo}",
    "### Before you leave\n\n1. keys\n2. phone\n   - charged\n   - with its cable\n3. umbrella\n"
    "4. a good mood\n\n{demo}",
)
POEM = (
    "### 云\n\n云在山头慢慢走，\n字在屏上一一流。\n风断桥边重又续，\n一言不落到心头。\n\n{demo}",
    "### Cloud\n\nA cloud went over the hill,\nand word by word it spoke;\nthe line fell suddenly still,\n"
    "then went on where it broke.\n\n{demo}",
)
LONG_PART = (
    "## 第 {n} 节\n\n这是长文的第 {n} 节。水从高处来，走过石头，也走过平地；"
    "话从想法来，一个字接着一个字，走到屏幕上。"
    "如果中途断线，重新连上之后会从断开的地方接着走，不多一个字，也不少一个字。\n\n",
    "## Part {n}\n\nThis is part {n} of a long text. Water comes from the heights and passes stones and plains; "
    "words come from a thought and walk, one after another, onto the screen. "
    "If the line breaks, it goes on from the very place where it broke, not a word more and not a word less.\n\n",
)
DATE = (
    "演示模型没有时钟，不知道今天的日期、时间和天气，请看手机上的显示。\n\n{demo}",
    "The demo model has no clock: it knows neither date, time nor weather. Please look at your phone.\n\n{demo}",
)
FIRST = ("你之前还没有说过什么，这是第一句。\n\n{demo}", "Nothing yet: this is your first message.\n\n{demo}")
ECHO = (
    "你上一句说的是：「{said}」。到现在为止你一共说了 {count} 句。\n\n{demo}",
    "Before this you said: “{said}”. That makes {count} message(s) so far.\n\n{demo}",
)
SUM = ("结果是 **{value}**。\n\n{demo}", "The result is **{value}**.\n\n{demo}")
NOTHING_MORE = (
    "补充一点：以上就是全部内容，演示模型没有更多要说的了。",
    " One more thing: that was all the demo model has to say.",
)
THOUGHT = (
    "先看问题：一共 {size} 个字。再想用什么形式回答最清楚，然后组织语言。",
    "First the question: {size} characters. Then the clearest form for an answer, then the words.",
)
EMPTY = ("请先说点什么。{demo}", "Say something first. {demo}")
