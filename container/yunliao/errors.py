"""Every error that can leave Yunliao, drawn as one tree and listed in docs/errors.md (a test compares the two).

    YunliaoError
    ├── Refused             the caller must change something first
    │   ├── IdentityMissing · IdentityUntrusted · TicketInvalid · Suspended · ConsentRequired
    │   ├── OverseasConsentRequired · OperatorLogin · OperatorRole
    │   ├── InvalidRequest · UnsupportedMediaType · RequestTooLarge · MethodNotAllowed · NotFound
    │   ├── ClientIdConflict · TurnInProgress · NothingToContinue · CoolingDown
    │   └── InsufficientCredits · DailyLimit · TurnLimit · CodeInvalid
    ├── Busy                the same request may work later
    │   ├── RateLimited · QueueFull · Draining · StoreUnavailable · KeysUnavailable
    │   └── ServiceBudgetExhausted
    ├── TurnFailed          ends a turn; travels in its `end` event
    │   ├── BlockedInput · BlockedOutput · ModerationUnavailable · ModerationRevisit
    │   ├── RelayUnreachable · RelayRefused · RelayOverloaded · RelayTimeout
    │   ├── RelayInterrupted · RelayEmpty · RelayMalformed · RelayReported · ContextTooLong
    │   └── QueueTimeout · InstanceLost
    ├── Misconfigured       an operator must act (settings, keys)
    └── Internal            a fault of ours; never says more than that

A message never holds a user's words, a secret, or the text of a foreign error.
"""

from yunliao.domain.events import Problem

SOON = 3
"""Seconds after which to try again while the store does not answer."""


class YunliaoError(Exception):
    """Base: a stable `code`, an HTTP `status`, whether repeating the same request can help, and what to tell people."""

    code = "internal"
    status = 500
    retryable = False
    zh = "服务内部出错，请稍后重试；若一直如此，请把请求编号告诉我们。"
    en = "Something went wrong on our side. Please try again later; if it persists, send us the request id."

    def __init__(self, detail: str = "", *, retry_after: int | None = None, **extra: str | int) -> None:
        """`detail` is for logs and for bad requests (it names the field, never its value); `retry_after` in seconds."""
        super().__init__(detail or self.en)
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra

    def problem(self) -> Problem:
        """The same as a value for a turn's terminal event."""
        return Problem(
            code=self.code, message=self.zh, message_en=self.en, retryable=self.retryable, retry_after=self.retry_after
        )


class Refused(YunliaoError):
    """The caller must change something first."""

    status = 400


class IdentityMissing(Refused):
    code, status = "identity_missing", 401
    zh = "没有收到微信身份，请在小程序里打开。"
    en = "No WeChat identity came with this call. Open the mini-program and try again."


class IdentityUntrusted(Refused):
    code, status = "identity_untrusted", 403
    zh = "这个来源不被允许调用本服务，请联系管理员检查 YUNLIAO_APPIDS 与云托管环境。"
    en = "This source may not call the service. The operator should check YUNLIAO_APPIDS and the Cloud Run environment."


class TicketInvalid(Refused):
    code, status, retryable = "ticket_invalid", 401, True
    zh = "连接凭证无效或已用过，请重新获取。"
    en = "The socket ticket is unknown, used or expired. Fetch a new one."


class Suspended(Refused):
    code, status = "suspended", 403
    zh = "账号已被暂停使用，如有疑问请联系管理员。"
    en = "This account is suspended. Contact the operator if you think this is wrong."


class ConsentRequired(Refused):
    code, status = "consent_required", 403
    zh = "使用前请先阅读并同意用户协议与隐私说明。"
    en = "Please read and accept the agreement and the privacy notice first."


class OverseasConsentRequired(Refused):
    code, status = "overseas_consent_required", 403
    zh = "这个模型由境外服务器提供。请先在设置里同意境外处理，或换一个境内模型。"
    en = (
        "This model is served from abroad. Allow overseas processing in the settings first, or choose a domestic model."
    )


class OperatorLogin(Refused):
    code, status = "operator_login", 401
    zh = "运营账号未登录、登录已过期，或名称与密码不符，请重新登录。"
    en = "Not logged in as an operator, the session is over, or name and password do not fit. Log in again."


class OperatorRole(Refused):
    code, status = "operator_role", 403
    zh = "你的运营角色不能做这件事，请联系所有者。"
    en = "Your role as an operator does not allow this. Ask an owner."


class InvalidRequest(Refused):
    code = "invalid_request"
    zh = "请求内容不符合要求，请按接口文档修改后再发。"
    en = "The request is not valid. See the field named in `detail` and correct it."


class UnsupportedMediaType(Refused):
    code, status = "unsupported_media_type", 415
    zh = "请求体必须是 JSON（Content-Type: application/json）。"
    en = "The body must be JSON (Content-Type: application/json)."


class RequestTooLarge(Refused):
    code, status = "request_too_large", 413
    zh = "内容太长，请缩短后再发。"
    en = "The request is too large. Shorten it and send again."


class MethodNotAllowed(Refused):
    code, status = "method_not_allowed", 405
    zh = "这个地址不支持该请求方法。"
    en = "This address does not support that method."


class NotFound(Refused):
    code, status = "not_found", 404
    zh = "没有找到，可能已被删除。"
    en = "Not found. It may have been deleted."


class ClientIdConflict(Refused):
    code, status = "client_id_conflict", 409
    zh = "同一个消息编号已用于另一条内容，请换一个编号。"
    en = "This client_id was already used for other content. Use a new one."


class TurnInProgress(Refused):
    code, status, retryable = "turn_in_progress", 409, True
    zh = "上一条还在回答，请等它结束或先停止。"
    en = "Your previous message is still being answered. Wait for it or stop it first."


class NothingToContinue(Refused):
    code, status = "nothing_to_continue", 409
    zh = "这条回答不能继续或重新生成。"
    en = "This answer cannot be continued or regenerated."


class InsufficientCredits(Refused):
    """`needed` and `available` in micro-credits, `renews_at` where an allowance will come."""

    code, status = "insufficient_credits", 402
    zh = "额度不够发送这条消息。可以等免费额度更新、兑换额度码，或换用更便宜的模型。"
    en = "Not enough credits for this message. Wait for the free allowance, redeem a code, or choose a cheaper model."


class DailyLimit(Refused):
    """`needed`, `available` (left of the day's limit) and `renews_at`."""

    code, status = "daily_limit", 429
    zh = "今天的使用额度已到上限，请明天再来，或换用更便宜的模型。"
    en = "You have reached today's spending limit. Come back tomorrow, or choose a cheaper model."


class TurnLimit(Refused):
    """`needed` for the shortest answer."""

    code, status = "turn_limit", 422
    zh = "这条消息连同上文超过了单次费用上限，请缩短消息、新建会话或换用更便宜的模型。"
    en = "With its history this would cost more than one answer may. Shorten it, start a new chat, or change the model."


class CodeInvalid(Refused):
    code, status = "code_invalid", 422
    zh = "兑换码无效、已用完或已过期，请核对后再试。"
    en = "This code is unknown, used up or expired. Check it and try again."


class CoolingDown(Refused):
    code, status = "cooling_down", 429
    zh = "多条消息没有通过内容安全检查，请先休息一会儿，到时间后再发。"
    en = "Several messages did not pass the content check. Take a break and send again when the time is over."


class Busy(YunliaoError):
    """The same request may work later."""

    status, retryable = 503, True


class RateLimited(Busy):
    code, status = "rate_limited", 429
    zh = "发送得太快了，请稍候再发。"
    en = "Too many messages. Wait a moment and send again."


class QueueFull(Busy):
    code = "queue_full"
    zh = "现在使用的人太多，请稍后再试。"
    en = "Too many people are waiting right now. Please try again shortly."


class Draining(Busy):
    code = "draining"
    zh = "服务正在更新，请稍候重试。"
    en = "The service is restarting. Please try again in a moment."


class StoreUnavailable(Busy):
    code = "store_unavailable"
    zh = "暂时无法读写记录，请稍后重试。"
    en = "Records cannot be read or written right now. Please try again shortly."

    def __init__(self, detail: str = "", *, retry_after: int | None = None, **extra: str | int) -> None:
        super().__init__(detail, retry_after=SOON if retry_after is None else retry_after, **extra)


class ServiceBudgetExhausted(Busy):
    code = "service_budget_exhausted"
    zh = "今天的服务总额度已用完，明天自动恢复，请明天再来。"
    en = "The service has used up its budget for today. It comes back by itself tomorrow."


class KeysUnavailable(Busy):
    code = "keys_unavailable"
    zh = "暂时无法取得密钥，请稍后重试。"
    en = "The key service does not answer right now. Please try again shortly."


class TurnFailed(YunliaoError):
    """Ends a turn; reaches people inside its `end` event, so `status` only matters in documents."""

    status = 502


class BlockedInput(TurnFailed):
    code, status = "blocked_input", 422
    zh = "这条消息没有通过内容安全检查，请修改后再发。"
    en = "Your message did not pass the content check. Change it and send again."


class BlockedOutput(TurnFailed):
    code, status = "blocked_output", 422
    zh = "回答没有通过内容安全检查，已撤回。可以换个问法。"
    en = "The answer did not pass the content check and was taken back. Try asking differently."


class ModerationUnavailable(TurnFailed):
    code, status, retryable = "moderation_unavailable", 503, True
    zh = "内容安全检查暂时不可用，为了安全没有继续。请稍后重试。"
    en = "The content check is unavailable right now, so we stopped to be safe. Please try again later."


class ModerationRevisit(TurnFailed):
    code, status, retryable = "moderation_revisit", 409, True
    zh = "太久没有打开小程序了，请重新进入小程序后再发。"
    en = "It has been a while since you opened the mini-program. Re-enter it and send again."


class RelayUnreachable(TurnFailed):
    code, retryable = "relay_unreachable", True
    zh = "暂时连不上模型服务，请稍后重试。"
    en = "The model service cannot be reached right now. Please try again later."


class RelayRefused(TurnFailed):
    code = "relay_refused"
    zh = "模型服务拒绝了请求，请联系管理员检查地址、密钥和模型名。"
    en = "The model service refused the request. The operator should check its address, key and model name."


class RelayOverloaded(TurnFailed):
    code, status, retryable = "relay_overloaded", 503, True
    zh = "模型服务现在很忙，请稍后重试。"
    en = "The model service is busy. Please try again later."


class RelayTimeout(TurnFailed):
    code, status, retryable = "relay_timeout", 504, True
    zh = "模型服务太久没有回应，请重试。"
    en = "The model service took too long. Please try again."


class RelayInterrupted(TurnFailed):
    code, retryable = "relay_interrupted", True
    zh = "回答在中途断开，已保留收到的部分，可以重新生成。"
    en = "The answer was cut off. What arrived is kept; you can regenerate it."


class RelayEmpty(TurnFailed):
    code, retryable = "relay_empty", True
    zh = "模型没有给出内容，请重试。"
    en = "The model returned nothing. Please try again."


class RelayMalformed(TurnFailed):
    code, retryable = "relay_malformed", True
    zh = "模型服务的回应无法识别，请稍后重试。"
    en = "The model service answered in a form we cannot read. Please try again later."


class RelayReported(TurnFailed):
    code, retryable = "relay_reported", True
    zh = "模型服务在回答中报告了错误，已保留收到的部分。"
    en = "The model service reported an error while answering. What arrived is kept."


class ContextTooLong(TurnFailed):
    code, status = "context_too_long", 422
    zh = "这条消息超过了模型能读的长度，请缩短后再发。"
    en = "This message is longer than the model can read. Shorten it and send again."


class QueueTimeout(TurnFailed):
    code, status, retryable = "queue_timeout", 503, True
    zh = "排队太久，没能开始回答，请稍后重试。"
    en = "The wait was too long and the answer did not start. Please try again later."


class InstanceLost(TurnFailed):
    code, retryable = "instance_lost", True
    zh = "回答的服务实例中途退出，已保留收到的部分，可以重新生成。"
    en = "The instance that was answering went away. What arrived is kept; you can regenerate it."


class Misconfigured(YunliaoError):
    """An operator must act before the service can work."""

    code, status = "misconfigured", 503
    zh = "服务还没有配置完成，请联系管理员查看 /readyz。"
    en = "The service is not fully configured. The operator should look at /readyz."


class Internal(YunliaoError):
    """A fault of ours."""


def by_code(code: str) -> type[YunliaoError] | None:
    """The class of a stored code; None for one that this version does not know."""
    return _BY_CODE.get(code)


def codes() -> list[str]:
    """All codes there are."""
    return sorted(_BY_CODE)


def _walk(kind: type[YunliaoError]) -> list[type[YunliaoError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _walk(child))]


_BY_CODE = {kind.code: kind for kind in reversed(_walk(YunliaoError)) if "code" in vars(kind)}
