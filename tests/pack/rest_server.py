"""A server's REST API, as far as a deployment needs it, on a real socket."""

import email.parser
import email.policy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "s3cret-token-of-an-admin"
LOG = [
    '{"level":"info","msg":"Something else"}\n',
    '{"level":"error","msg":"boom","plugin_id":"com.example.sample"}\n',
    "\x1b[31mcom.example.sample is red\n",
]


class FakeServer:
    """What the server answers, and what it was asked for. Tests change the answers."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.uploaded = b""
        self.form: dict[str, str] = {}
        self.token = TOKEN
        self.settings: dict[str, object] = {"Enable": True, "EnableUploads": True, "RequirePluginSignature": False}
        self.states: Iterator[list[dict[str, object]]] = iter([])
        self.last: list[dict[str, object]] = [status(2)]
        self.answers: dict[str, tuple[int, object]] = {}
        """Other answers than the usual, by method and path: the status, and JSON or bytes."""
        self.headers: dict[str, str] = {}
        self.closes_at_upload = False

    def answer(self, request: str) -> tuple[int, object]:
        if request in self.answers:
            return self.answers[request]
        usual: dict[str, Callable[[], object]] = {
            "POST /plugins": lambda: {"id": "com.example.sample"},
            "POST /plugins/com.example.sample/enable": lambda: {"status": "OK"},
            "GET /plugins/statuses": lambda: next(self.states, self.last),
            "GET /config": lambda: {"PluginSettings": self.settings},
            "GET /logs?page=0&logs_per_page=200": lambda: LOG,
        }
        if request not in usual:
            return 404, {"id": "api.context.404.app_error", "message": "Sorry, we could not find the page."}
        return (201 if request == "POST /plugins" else 200), usual[request]()


def status(state: int, *, version: str = "1.2.3", node: str = "", error: str = "", **more: object) -> dict[str, object]:
    plugin_id = str(more.get("plugin_id", "com.example.sample"))
    return {"plugin_id": plugin_id, "cluster_id": node, "state": state, "error": error, "version": version}


def app_error(code: int, error_id: str, message: str) -> tuple[int, object]:
    return code, {"id": error_id, "message": message, "detailed_error": "", "status_code": code}


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections that break are meant to."""


@contextmanager
def serving() -> Iterator[tuple[FakeServer, str]]:
    fake = FakeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            if fake.closes_at_upload and self.path.endswith("/plugins"):
                self.connection.close()
                self.close_connection = True
                return
            self._answer(self.rfile.read(int(self.headers["Content-Length"] or 0)))

        def _answer(self, body: bytes) -> None:
            request = f"{self.command} {self.path.removeprefix('/chat').removeprefix('/api/v4')}"
            fake.requests.append(request)
            code, answer = fake.answer(request)
            if self.headers["Authorization"] != f"Bearer {fake.token}":
                code, answer = app_error(401, "api.context.session_expired.app_error", "Invalid or expired session.")
            if code == 201:
                self._take_form(body)
            text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(code)
            for name, value in fake.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _take_form(self, body: bytes) -> None:
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            for part in form.iter_parts():
                name = str(part.get_param("name", header="content-disposition"))
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                if name == "plugin":
                    fake.uploaded = content
                else:
                    fake.form[name] = content.decode()

    server = _QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield fake, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
