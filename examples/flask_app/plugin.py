"""A Flask app below /plugins/com.example.guestbook, mounted in one line: a page that visitors sign.

    GET  /  the page
    POST /  the form field "text" adds a line, with the user's id; without a Mattermost session the answer is 401

Needs: pip install mattermost-plugin-sdk[wsgi] flask
"""

import threading

from flask import Flask, Response, abort, redirect, render_template_string, request
from werkzeug.wrappers import Response as BaseResponse

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.wsgi import wsgi

PAGE = """<!doctype html>
<title>Guestbook</title>
<ul>{% for author, text in entries %}<li>{{ text }} <small>{{ author }}</small></li>{% endfor %}</ul>
<form method="post"><input name="text" maxlength="200" required><button>Sign</button></form>
"""

app = Flask(__name__)
# Flask answers each request in a thread of its own, so what they share needs a lock.
lock = threading.Lock()
entries: list[tuple[str, str]] = []


@app.get("/")
def show() -> str:
    """The page with all entries."""
    with lock:
        return render_template_string(PAGE, entries=entries)


@app.post("/")
def sign() -> BaseResponse:
    """Add an entry and show the page again."""
    user_id: str = request.environ["mattermost.user_id"]
    if not user_id:
        abort(Response("Log in to Mattermost first.\n", 401, mimetype="text/plain"))
    text = request.form.get("text", "").strip()[:200]
    if text:
        with lock:
            entries.append((user_id, text))
    return redirect(".", code=303)


class Guestbook(Plugin):
    """Serves the app, and could handle other hooks beside it."""

    serve_http = wsgi(app)


if __name__ == "__main__":
    run_plugin(Guestbook)
