"""The switches of the WeChat server API simulation (platform.md §4, §5.1). `match` looks into the checked content."""

from cloudrun.switches import Switch

WECHAT_SWITCHES = (
    Switch(
        "errcode", 0, "answer with this errcode (-1, 40001, 43104, 44991, 45009, 61010, 85107, …); 0 = really check"
    ),
    Switch("http_status", 200, "answer with this HTTP status and a plain page, for example 502"),
    Switch("latency_ms", 0, "time before an answer"),
    Switch("jitter_ms", 0, "up to this much more, changing from call to call in a fixed sequence"),
    Switch("hang", False, "take the call and never answer"),
    Switch("drop", False, "reset the connection instead of answering"),
    Switch("garbage", False, "answer 200 with a body that is not JSON"),
    Switch("no_result", False, "errcode 0 without `result`"),
    Switch(
        "sidecar_missing", False, "leave out `x-openapi-seqid`, as when the call did not pass the interface service"
    ),
    Switch("suggest", "", "the verdict, whatever the content", ("", "pass", "review", "risky")),
    Switch("label", 0, "the label of a forced or found verdict that is not pass; 0 = 20006"),
    Switch(
        "failed_strategy", False, "add a `detail` item with its own errcode and suggest risky, which must not count"
    ),
    Switch("two_hour_rule", True, "61010 for an openid that did not pass the gateway within `visit_seconds`"),
    Switch("visit_seconds", 7200.0, "how long a visit counts"),
    Switch("minute_limit", 4000, "calls a minute before 44991"),
    Switch("day_limit", 2_000_000, "calls since the start before 45009"),
    Switch("oversize_errcode", 47001, "errcode for more than 2,500 characters (the code is unconfirmed)"),
    Switch("risky_phrases", ["违禁演示词", "forbidden-demo"], "content with one of these is risky"),
    Switch("review_phrases", ["待审演示词", "review-demo"], "content with one of these is review"),
    Switch("record_content", False, "keep the content of calls for /__sim/calls"),
    Switch(
        "custom_errcode",
        0,
        "custom/send answers with this errcode (-1, 45015, 45047, 48001, 85107, …); 0 = really takes it",
    ),
)
