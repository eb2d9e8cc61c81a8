"""Starlette and FastAPI applications through a real gRPC server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.asgi import ASGIApp, asgi
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPResponse
from tests.unit.http_link import Response as HostResponse
from tests.unit.http_link import grpc_host, head, read_response, request_messages
from tests.unit.test_asgi import FakePlugin, mount_of, mounted


def ask(app: ASGIApp, method: str = "GET", url: str = "/", *chunks: bytes) -> HostResponse:
    """One request to the application, through a real server."""

    async def run() -> HostResponse:
        async with grpc_host(mounted(asgi(app))) as host:
            init = head(method, url, headers=[("Content-Type", ["application/json"])])
            return await read_response(await host.send(request_messages(init, *chunks)))

    return asyncio.run(run())


class Item(BaseModel):
    name: str
    price: float


def test_fastapi_reads_and_writes_json() -> None:
    app = FastAPI()

    @app.post("/items/{number}")
    async def create(number: int, item: Item, request: Request) -> dict[str, object]:
        return {"number": number, "item": item.name, "user": request.scope["mattermost.user_id"]}

    response = ask(app, "POST", "/items/7", b'{"name": "tea", ', b'"price": 2.5}')
    assert (response.status, response.header("content-type")) == (200, "application/json")
    assert response.body == b'{"number":7,"item":"tea","user":""}'
    assert ask(app, "POST", "/items/x", b"{}").status == 422
    assert ask(app, "GET", "/nowhere").status == 404


def test_urls_that_the_application_makes_have_the_plugins_prefix() -> None:
    async def where(request: StarletteRequest) -> Response:
        return PlainTextResponse(f"{request.url} {request.url_for('where', name='b')} {request.path_params['name']}")

    app = Starlette(routes=[Mount("/v1", routes=[Route("/at/{name}", where, name="where")], name="v1")])

    async def outer(request: StarletteRequest) -> Response:
        return PlainTextResponse(str(request.url_for("v1:where", name="b")))

    app.router.routes.append(Route("/outer", outer))
    assert ask(app, url="/outer").body == b"http://chat.example.com/plugins/com.example.test/v1/at/b"
    root = Starlette(routes=[Route("/at/{name}", where, name="where")])
    assert ask(root, url="/at/a?x=1").body == (
        b"http://chat.example.com/plugins/com.example.test/at/a?x=1 "
        b"http://chat.example.com/plugins/com.example.test/at/b a"
    )


def test_a_failing_endpoint_tells_nothing_of_its_exception() -> None:
    async def fail(request: StarletteRequest) -> Response:
        raise ValueError("secret")

    response = ask(Starlette(routes=[Route("/", fail)]))
    assert (response.status, response.body) == (500, b"Internal Server Error")


def test_events_reach_the_client_one_by_one() -> None:
    async def run() -> None:
        asked = asyncio.Event()
        stopped = asyncio.Event()

        async def events() -> AsyncIterator[str]:
            try:
                yield "data: 1\n\n"
                await asked.wait()
                yield "data: 2\n\n"
                await asyncio.Event().wait()
            finally:
                stopped.set()

        async def stream(request: StarletteRequest) -> Response:
            return StreamingResponse(events(), media_type="text/event-stream")

        app = Starlette(routes=[Route("/events", stream)])
        async with grpc_host(mounted(asgi(app))) as host:
            call = await host.send(request_messages(head(url="/events")))
            first = await call.read()
            assert isinstance(first, ServeHTTPResponse)
            assert (first.body_chunk, first.flush) == (b"data: 1\n\n", True)
            asked.set()
            second = await call.read()
            assert isinstance(second, ServeHTTPResponse)
            assert (second.body_chunk, second.flush) == (b"data: 2\n\n", True)
            # Idle now: only http.disconnect can tell the application that it is over.
            call.cancel()
            await stopped.wait()

    asyncio.run(run())


def test_an_upload_is_streamed() -> None:
    async def count(request: StarletteRequest) -> Response:
        total, pieces = 0, 0
        async for piece in request.stream():
            total += len(piece)
            pieces += bool(piece)
        return JSONResponse({"total": total, "pieces": pieces})

    app = Starlette(routes=[Route("/", count, methods=["POST"])])
    response = ask(app, "POST", "/", *[bytes(65536)] * 40)
    assert response.body == b'{"total":2621440,"pieces":40}'


def test_middleware_and_background_tasks_work() -> None:
    async def run() -> None:
        done = asyncio.Event()

        class Stamp(BaseHTTPMiddleware):
            async def dispatch(self, request: StarletteRequest, call_next: RequestResponseEndpoint) -> Response:
                response = await call_next(request)
                response.headers["X-Stamp"] = "1"
                return response

        async def work() -> None:
            done.set()

        async def endpoint(request: StarletteRequest) -> Response:
            assert not await request.is_disconnected()
            return PlainTextResponse(await request.body(), background=BackgroundTask(work))

        app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=[Middleware(Stamp)])
        async with grpc_host(mounted(asgi(app))) as host:
            call = await host.send(request_messages(head("POST", "/"), b"", b"hello", b" there"))
            response = await read_response(call)
            assert response.header("x-stamp") == "1"
            await done.wait()

    asyncio.run(run())


class State(TypedDict):
    greeting: str


def test_the_lifespan_carries_state_into_requests() -> None:
    async def run() -> None:
        steps: list[str] = []

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[State]:
            steps.append("start")
            yield {"greeting": "hello"}
            steps.append("stop")

        async def greet(request: StarletteRequest) -> Response:
            return PlainTextResponse(request.state.greeting)

        plugin = FakePlugin()
        method = asgi(Starlette(routes=[Route("/", greet)], lifespan=lifespan), lifespan="on")
        mount = mount_of(method).bind(plugin, HandlerPool(1, "http"))
        await mount.start_lifespan()
        async with grpc_host(mounted(method, plugin)) as host:
            response = await read_response(await host.send(request_messages(head(url="/"))))
            assert response.body == b"hello"
        await mount.stop_lifespan()
        assert steps == ["start", "stop"]

    asyncio.run(run())
