"""A headless Chromium, spoken to over a pipe (Chrome DevTools Protocol): sizes, media, scripts, pictures, print."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Any

CHROMIUM = which("chromium")


class Browser:
    """One page. `complaints` holds what its console and its policy said. Use it in a `with`."""

    def __init__(self, home: Path) -> None:
        self.complaints: list[str] = []
        self._last = 0
        self._rest = b""
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--remote-debugging-pipe", f"--user-data-dir={home}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._session = ""
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.write(self._out, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        os.close(self._out)
        self._process.wait(20)
        os.close(self._in)

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result. Raises `AssertionError` with the browser's words."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last:
            self._note(answer)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, page: Path, width: int, media: str = "", **features: str) -> None:
        """Load a file at this width. `features` are media features, such as prefers_color_scheme."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self("Emulation.setEmulatedMedia", media=media, features=named)
        self("Page.navigate", url=page.as_uri())
        self.run("new Promise(done => document.readyState == 'complete' ? done(1) : addEventListener('load', done))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, which may be a promise."""
        answer = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, file: Path, whole: bool = False, **clip: float) -> None:
        """A PNG of what is in view, of the whole page, or of a part of it (x, y, width, height)."""
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        shot = self("Page.captureScreenshot", captureBeyondViewport=whole or bool(clip), **more)
        file.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            block = os.read(self._in, 1 << 16)
            assert block, "the browser has gone"
            self._rest += block
        first, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.complaints.append(json.dumps(event["params"]))
