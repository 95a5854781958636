"""What is answered when a handler raises."""

from __future__ import annotations

import logging
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from chatnation.core.errors import Problem
from chatnation.core.hookspecs.web import handle_error
from chatnation.core.plugin.hooks import Hooks
from chatnation.core.web.access import CONFIRM_PATH, FRESH_LOGIN, SET_UP_FIRST, Gate
from chatnation.core.web.accounts.answers import SET_UP_PATH
from chatnation.core.web.problems import as_problem, problem_response, wants_html
from chatnation.core.web.templating import Renderer

logger = logging.getLogger(__name__)

TITLES = {
    403: "You may not do this",
    404: "Nothing is here",
    500: "Something went wrong",
    503: "Not available right now",
}


class ErrorAnswers:
    """Problem details for programs, a page for people, and the way to the login page for strangers."""

    def __init__(self, gate: Gate, hooks: Hooks) -> None:
        self._gate = gate
        self._hooks = hooks

    async def answer(self, request: Request, error: Exception) -> Response:
        """The response to a request whose handling raised `error`."""
        problem = as_problem(error)
        if problem.code == "internal_error":
            raised = error.__cause__ if isinstance(error.__cause__, Exception) else error
            if answer := await self._hooks.first(handle_error, request, raised):
                return answer.unwrap()
        request_id: str = request.state.request_id
        if problem.status >= 500:
            logger.error("request %s: %s %s", request_id, request.method, request.url.path, exc_info=error)
        if problem.code == SET_UP_FIRST and "hx-request" in request.headers:
            return Response(status_code=403, headers={"HX-Redirect": SET_UP_PATH})
        if problem.code == FRESH_LOGIN and "hx-request" in request.headers:
            shown = urlsplit(request.headers.get("hx-current-url", "/"))
            return Response(status_code=403, headers={"HX-Redirect": _to(CONFIRM_PATH, shown.path, shown.query)})
        if problem.status == 401 and "hx-request" in request.headers:
            shown = urlsplit(request.headers.get("hx-current-url", "/"))
            return Response(status_code=401, headers={"HX-Redirect": _login(shown.path, shown.query)})
        if "hx-request" in request.headers:
            part: Response = request.state.render("error_part.html", status=problem.status, problem=problem)
            return part
        if not wants_html(request):
            return problem_response(problem, request_id)
        if problem.code == FRESH_LOGIN and request.method == "GET":
            return RedirectResponse(_to(CONFIRM_PATH, request.url.path, request.url.query), status_code=303)
        if problem.code == SET_UP_FIRST:
            return RedirectResponse(SET_UP_PATH, status_code=303)
        if problem.status == 401:
            return RedirectResponse(_login(request.url.path, request.url.query), status_code=303)
        return await self._page(request, problem, request_id)

    async def _page(self, request: Request, problem: Problem, request_id: str) -> Response:
        """The error page. Should that fail too, a line of text."""
        try:
            await self._gate.recognise(request)
        except Exception:
            request.state.actor = None
        render: Renderer = request.state.render
        title = TITLES.get(problem.status, "That did not work")
        page = render("error.html", status=problem.status, title=title, problem=problem)
        page.headers.update(problem.headers)
        try:
            await page.prepare()
        except Exception:
            logger.exception("request %s: the error page failed", request_id)
            return PlainTextResponse(f"{title}. Request {request_id}.\n", problem.status, headers=problem.headers)
        return page


def _login(path: str, query: str) -> str:
    return _to("/login", path, query)


def _to(page: str, path: str, query: str) -> str:
    """The address of `page`, which leads back afterwards."""
    target = path + (f"?{query}" if query else "")
    return page if target in {"", "/"} else f"{page}?next={quote(target, safe='')}"
