"""Takes the picture of the page in docs/: `python -m tests.web.screenshot`.

It looks as intended where the fonts Inter and Noto Color Emoji are installed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.web.browser import Stage, Tab, missing_programs, open_browser
from tests.web.site import GREETER

ROOT = Path(__file__).parents[2]
MODERATION = ROOT / "examples" / "moderation"
PICTURE = ROOT / "docs" / "dev-page.png"
LARGEST = 250_000
"""Bytes; the repository keeps the picture."""


async def talk(stage: Stage) -> None:
    """What has been said before anybody looks."""
    act = stage.host.act
    first = await act.post(stage.ada.id, stage.lounge.id, "Hello, everybody! Does the **greeter** work today?")
    await act.post(
        stage.bob.id, stage.lounge.id, "It just waved at you. Two plugins look at every post here.", first.id
    )
    act.react(stage.bob.id, first.id, "tada")
    text = (
        "Try these:\n- a word of `words.txt`, which the moderation plugin refuses\n- CAPITALS, which the greeter does"
    )
    await act.post(stage.bob.id, stage.lounge.id, text)
    await stage.host.settle()


def play(tab: Tab) -> None:
    """A refused post, and what the plugin was asked; a thread."""
    tab.click("#channel .replies")
    tab.see("#thread [data-testid=message]", "It just waved at you")
    tab.write("PLEASE ANSWER ME")
    tab.see("#channel [role=alert]", "Please do not shout.")
    refused = "[data-testid=entry][data-name=MessageWillBePosted]:has(.failed)"
    tab.click(f"{refused} summary")
    tab.see(f"{refused} [data-testid=arguments]", "PLEASE ANSWER ME")


def main() -> int:
    """Take the picture."""
    missing = missing_programs()
    if missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), GREETER, MODERATION)
        try:
            with open_browser(Path(folder), width=1440, height=960) as browser:
                stage.call(talk(stage))
                tab = browser.open(f"{stage.link}&user={stage.ada.id}&channel={stage.lounge.id}")
                tab.see("#live", "Live")
                play(tab)
                taken = Path(folder) / "page.png"
                tab.driver.save_screenshot(str(taken))
        finally:
            stage.close()
        size = taken.stat().st_size
        if size > LARGEST:
            sys.stderr.write(f"the picture has {size} bytes, more than {LARGEST}\n")
            return 1
        shutil.copyfile(taken, PICTURE)
    sys.stdout.write(f"{PICTURE}: {size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
