"""The gateway's switches: platform limits, what is unconfirmed in platform.md, accidents of a phone's network."""

from cloudrun.switches import Switch

GATEWAY_SWITCHES = (
    Switch("cap_seconds", 15.0, "longest callContainer call before 102002, cold start included"),
    Switch("request_seconds", 60.0, "longest request on the function and public links; 0 = no limit"),
    Switch("request_cap_bytes", 102_400, "largest callContainer request body before -606001"),
    Switch("response_cap_bytes", 1_024_000, "largest callContainer answer before -606002"),
    Switch(
        "non_2xx",
        "result",
        "how callContainer hands over a status outside 200-299: as a `result` with statusCode, "
        "or as a `fail` with errMsg only (unconfirmed)",
        ("result", "fail"),
    ),
    Switch("pass_underscore", False, "let header names with underscores (`X_WX_OPENID`) through to the container"),
    Switch("public_link", False, "the public domain is on; off answers 403 with -606006"),
    Switch("public_strips_identity", False, "the public link takes away forged `x-wx-*` headers (unconfirmed, so off)"),
    Switch("ios_high_performance", False, "socket handshakes carry no identity, as in iOS high-performance mode"),
    Switch("socket_limit", 5, "open sockets of one user"),
    Switch("socket_cut_seconds", 0.0, "cut every new socket this long after it opened; 0 = never"),
    Switch("socket_idle_seconds", 0.0, "cut a socket after this long without a frame; 0 = never"),
    Switch("duplicate_delivery", False, "deliver each callContainer request to two instances, first answer wins"),
    Switch("duplicate_gap_ms", 0, "the second delivery starts this much later"),
    Switch("lose_answer", False, "the container gets and answers the request, the client gets 102002"),
    Switch("platform_error", 0, "answer with this errCode of platform.md §1.4 without asking the container; 0 = off"),
    Switch("upstream_connect_error", False, "answer `upstream connect error` as during a version change"),
    Switch("service_not_ready", False, "answer SERVICE_NOT_READY"),
    Switch("cold_start_seconds", 0.0, "time that waking from zero takes on top of the real start"),
    Switch(
        "cold_start_mode",
        "wait",
        "calls during a start `wait` for it or get an `error` (SERVICE_NOT_READY)",
        ("wait", "error"),
    ),
    Switch("scale_to_zero_seconds", 0.0, "stop all instances after this long without HTTP traffic; 0 = never"),
    Switch("offline", False, "the phone has no network: requests are dropped, open sockets cut, no new ones"),
    Switch("latency_ms", 0, "wait before a request is delivered and before each socket frame from the container"),
    Switch("bytes_per_second", 0, "speed of answers and of socket frames from the container; 0 = no limit"),
)
