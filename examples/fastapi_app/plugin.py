"""A FastAPI app below /plugins/com.example.notes, mounted in one line: private notes for each Mattermost user.

    GET    /notes       the user's notes
    POST   /notes       {"text": "..."} adds one
    DELETE /notes/{id}  removes one

Without a Mattermost session the answer is 401. Needs: pip install fastapi
"""

import itertools
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.asgi import asgi


class NewNote(BaseModel):
    """What a client sends."""

    text: str = Field(min_length=1, max_length=4000)


class Note(NewNote):
    """What it gets back."""

    id: int


def session_user(request: Request) -> str:
    """The user's id, as the server vouches for it: no client can set it."""
    user_id: str = request.scope["mattermost.user_id"]
    if not user_id:
        raise HTTPException(401, "Log in to Mattermost first.")
    return user_id


UserId = Annotated[str, Depends(session_user)]

app = FastAPI(title="Notes")
# No lock: these handlers are all async, so they run on the plugin's one event loop.
notes: dict[str, dict[int, Note]] = {}
next_id = itertools.count(1)


@app.get("/notes")
async def list_notes(user_id: UserId) -> list[Note]:
    """The user's notes, oldest first."""
    return list(notes.get(user_id, {}).values())


@app.post("/notes", status_code=201)
async def add_note(user_id: UserId, new: NewNote) -> Note:
    """Add a note."""
    note = Note(id=next(next_id), text=new.text)
    notes.setdefault(user_id, {})[note.id] = note
    return note


@app.delete("/notes/{note_id}", status_code=204)
async def delete_note(user_id: UserId, note_id: int) -> None:
    """Remove a note of the user's own."""
    if notes.get(user_id, {}).pop(note_id, None) is None:
        raise HTTPException(404, "You have no such note.")


class Notes(Plugin):
    """Serves the app, and could handle other hooks beside it."""

    serve_http = asgi(app)


if __name__ == "__main__":
    run_plugin(Notes)
