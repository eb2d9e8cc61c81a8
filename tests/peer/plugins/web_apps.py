"""A plugin that serves a FastAPI app as its HTTP hook and a Flask app as its metrics.

With the argument "startup-fails" the FastAPI app cannot start.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import flask
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.asgi import asgi
from mattermost_plugin.wsgi import wsgi

SECRET = "the secret of the app"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    if "startup-fails" in sys.argv:
        raise RuntimeError("the database is away")
    print("the app starts")
    yield
    print("the app stops")


api = FastAPI(lifespan=lifespan)
released = asyncio.Event()


@api.get("/items/{number}")
async def item(number: int, request: Request, q: str = "") -> dict[str, object]:
    return {
        "number": number,
        "q": q,
        "user": request.scope["mattermost.user_id"],
        "root": request.scope["root_path"],
        "plugin": type(request.scope["mattermost.plugin"]).__name__,
        "url": str(request.url),
    }


@api.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    return {"size": sum([len(chunk) async for chunk in request.stream()])}


@api.get("/events")
async def events() -> StreamingResponse:
    async def generate() -> AsyncIterator[str]:
        try:
            yield "data: first\n\n"
            await released.wait()
            yield "data: second\n\n"
        finally:
            print("the events have ended")

    return StreamingResponse(generate(), media_type="text/event-stream")


@api.post("/release")
async def release() -> None:
    released.set()


@api.get("/fail")
async def fail() -> None:
    raise RuntimeError(SECRET)


site = flask.Flask(__name__)


@site.route("/items/<int:number>", methods=["GET", "POST"])
def site_item(number: int) -> flask.Response:
    response = flask.jsonify(
        number=number,
        q=flask.request.args.get("q", ""),
        body=flask.request.get_data(as_text=True),
        user=flask.request.environ["mattermost.user_id"],
    )
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@site.route("/pieces")
def pieces() -> flask.Response:
    def generate() -> Iterator[bytes]:
        for number in range(64):
            yield bytes([number]) * 65536

    return flask.Response(generate(), mimetype="application/octet-stream")


@site.route("/fail")
def site_fail() -> str:
    raise RuntimeError(SECRET)


class Apps(Plugin):
    """Both kinds of app in one plugin."""

    serve_http = asgi(api)
    serve_metrics = wsgi(site)


if __name__ == "__main__":
    run_plugin(Apps)
