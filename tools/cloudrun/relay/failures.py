"""The demo relay's errors, in OpenAI's form."""

from aiohttp import web

ERRORS = {
    400: ("invalid_request_error", "context_length_exceeded", "This model's maximum context length is exceeded."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached, try again later."),
}


def failure(status: int, message: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """An error in OpenAI's form."""
    kind, code, text = ERRORS.get(status, ("server_error", "demo_error", "The demo relay was told to fail."))
    body = {"error": {"message": message or text, "type": kind, "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)
