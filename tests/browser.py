"""A real browser without a window, driven through its debugging pipe: pages as readers have them, policy and all."""

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 120.0
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


def chromium() -> str:
    """The browser's path, from the variable CHROME or the search path; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CHROME") or "", *NAMES))), None)
    if found is None or sys.platform == "win32":
        pytest.skip(f"no browser here: {', '.join(NAMES)} or the variable CHROME")
    return found


class Browser:
    """One tab. ``evaluate`` answers with what a script in the page returns; ``complaints`` is what the page logged."""

    def __init__(self, path: str, profile: Path) -> None:
        """Start it: file 3 is where it listens, file 4 where it answers, each message ended by a zero byte."""
        heard, self.asking = os.pipe()
        self.answers, said = os.pipe()

        def place() -> None:
            one, other = os.dup(heard), os.dup(said)
            os.dup2(one, 3)
            os.dup2(other, 4)

        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "close_fds": False}
        self.process = subprocess.Popen(
            [path, *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"], preexec_fn=place, **quiet
        )
        os.close(heard)
        os.close(said)
        self.rest, self.number, self.tab, self.complaints = b"", 0, "", []
        self.loaded = False
        tabs = self("Target.getTargets")["targetInfos"]
        tab = next(info["targetId"] for info in tabs if info["type"] == "page")
        self.tab = self("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self(f"{domain}.enable")
        self("Network.enable")
        self("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask for one thing and wait for its answer."""
        self.number += 1
        asked = {"id": self.number, "method": method, "params": parameters}
        text = json.dumps({**asked, "sessionId": self.tab} if self.tab else asked).encode() + b"\0"
        while text:
            text = text[os.write(self.asking, text) :]
        while (answer := self.read()).get("id") != asked["id"]:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def read(self) -> dict[str, Any]:
        """The next message; what the page logs and that it has loaded is noted."""
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], PATIENCE_S)
            part = os.read(self.answers, 1 << 20) if ready else b""
            assert part, "the browser has stopped or does not answer"
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(text)
        self.loaded = self.loaded or message.get("method") == "Page.loadEventFired"
        if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.complaints.append(message["params"])
        return message

    def open(self, page: Path, size: tuple[int, int] = (1280, 900), scale: float = 1.0) -> None:
        """Load a page from a file, with networking off, in a window of this size in CSS pixels."""
        self.resize(size, scale)
        self.complaints, self.loaded = [], False
        self("Page.navigate", url=page.as_uri())
        while not self.loaded:
            self.read()

    def resize(self, size: tuple[int, int], scale: float = 1.0) -> None:
        """The window's size and how many pixels of the screen make one of CSS."""
        shape = {"width": size[0], "height": size[1], "deviceScaleFactor": scale, "mobile": False}
        self("Emulation.setDeviceMetricsOverride", **shape)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page, as JSON carries it; promises are waited for."""
        found = self("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """A real mouse: ``mousePressed``, ``mouseMoved``, ``mouseReleased`` of the left button, in CSS pixels."""
        held = 0 if kind == "mouseReleased" else 1
        self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=held, clickCount=1)

    def touch(self, kind: str, points: Sequence[tuple[float, float]]) -> None:
        """Real fingers: ``touchStart``, ``touchMove``, ``touchEnd``."""
        self("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

    def key(self, name: str, code: int, text: str = "") -> None:
        """A key pressed and let go."""
        pressed = {"key": name, "windowsVirtualKeyCode": code, **({"text": text} if text else {})}
        self("Input.dispatchKeyEvent", type="keyDown", **pressed)
        self("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()
        os.close(self.asking)
        os.close(self.answers)
