from collections.abc import Iterable

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import AUTHENTICATED, Plugin, Route, hookimpl


class Question(BaseModel):
    name: str = "world"


class Greeting(BaseModel):
    text: str


async def greet(request: Request, query: Question) -> Greeting:
    return Greeting(text=f"Hello {query.name}")


class GreetingsPlugin(Plugin):
    """Greetings"""

    name = "greetings"

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Route("GET", "", greet, AUTHENTICATED, query=Question, response=Greeting)]  # /api/greetings
