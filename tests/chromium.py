"""A real headless Chromium, driven over the DevTools protocol through a pipe: no port, no other program, no library."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import services

PATIENCE = 60  # seconds, on a busy machine


class PageError(Exception):
    """The script that was asked for failed in the page."""


class Tab:
    """One tab. Since it opened a page: ``requests`` is what it asked for, ``blocked`` why it did not get some of it,
    ``complaints`` what it said to the console."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser, self.session = browser, session
        self.requests: list[str] = []
        self.blocked: list[str] = []
        self.complaints: list[str] = []
        self._loaded: set[str] = set()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")
        self("Page.setLifecycleEventsEnabled", enabled=True)

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, self._event, **params)

    def _event(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.lifecycleEvent":
            if params["name"] == "load":
                self._loaded.add(params["loaderId"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.loadingFailed":
            self.blocked.append(params.get("blockedReason", params["errorText"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))

    def open(self, url: str, *, width: int = 1024, height: int = 900, dark: bool = False, motion: bool = True) -> None:
        """Load ``url`` in a window of this size and wait for it."""
        self.requests, self.blocked, self.complaints = [], [], []
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"},
        ]
        self("Emulation.setEmulatedMedia", features=features)
        loader = self("Page.navigate", url=url)["loaderId"]  # another page may still say that it is loaded
        while loader not in self._loaded:
            self.browser.receive(self._event)

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page; of a promise what it becomes."""
        done = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise PageError(json.dumps(done["exceptionDetails"]))
        return done["result"].get("value")

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until ``holds`` is true, for what the page does of itself a little later."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"not so within {PATIENCE} s")
            self.run("new Promise((done) => setTimeout(done, 20))")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key: its name, its Windows code, and what it types."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self("Input.dispatchKeyEvent", type="keyUp", **common)

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader is told, in order."""
        # Built for this reading, from the page as it is. Chromium can keep one up to date instead; where <details> were
        # opened while that one was still being built, what is in some of them is missing from it for good.
        self("Accessibility.enable")
        nodes = self("Accessibility.getFullAXTree")["nodes"]
        self("Accessibility.disable")
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is to be seen, or the whole page, as PNG."""
        done = self("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(done["data"]))


class Chromium:
    """The browser; its messages end with a zero byte."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out = os.fdopen(to_browser, "wb", buffering=0)
        self._in = from_browser
        self._read = bytearray()
        self._last = 0

    def tab(self) -> Tab:
        """A new tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        return Tab(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def call(self, method: str, session: str | None = None, event: Any = None, **params: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer; what happens in between goes to ``event``."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(event)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found

    def receive(self, event: Any = None) -> dict[str, Any]:
        """The next message."""
        while (end := self._read.find(b"\0")) < 0:
            data = os.read(self._in, 1 << 16)
            if not data:
                raise PageError("the browser is gone")
            self._read += data
        message: dict[str, Any] = json.loads(self._read[:end])
        del self._read[: end + 1]
        if event is not None and "method" in message:
            event(message["method"], message["params"])
        return message


@contextmanager
def started(folder: Path) -> Iterator[Chromium]:
    """A browser with its profile in ``folder``; the test is skipped where none is installed."""
    program = services.program("chromium")
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    options = [
        "--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-extensions", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={folder}",
    ]  # fmt: skip

    def hand_over() -> None:  # it reads from 3 and writes to 4
        os.dup2(their_in, 63)
        os.dup2(their_out, 64)
        os.dup2(63, 3)
        os.dup2(64, 4)

    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [program, *options, "about:blank"], preexec_fn=hand_over, close_fds=False, stdout=log, stderr=log
        )
    os.close(their_in)
    os.close(their_out)
    try:
        browser = Chromium(our_out, our_in)
        yield browser
        browser.call("Browser.close")
    finally:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
