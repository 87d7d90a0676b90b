"""A page in a real browser (Debian's chromium), without a driver: what it draws, logs, asks the network for, prints."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-default-apps", "--mute-audio", "--allow-file-access-from-files", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip

#: Looks into the page, in a frame of a given width, and leaves what it finds as JSON in the document around it.
_PROBE = """<!doctype html><body><iframe id="frame" src="{page}" style="width:{width}px;height:900px;border:0"></iframe>
<pre id="found"></pre><script>
const frame = document.getElementById("frame");
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement, found = {{}};
  const box = e => {{ const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }};
  found.title = page.title;
  found.scroll_width = root.scrollWidth;
  found.figures = [...page.querySelectorAll("figure svg")].map(svg => ({{
    size: [svg.clientWidth, svg.clientHeight], shown: svg.checkVisibility(),
    marks: svg.querySelectorAll("use, path").length, titles: svg.querySelectorAll(".hover title").length,
    text: [...svg.querySelectorAll("text")].map(t => t.textContent.trim()).join(" ")}}));
  found.words = [...page.querySelectorAll("#verdicts ~ table .word")].map(box);
  found.table = page.querySelector("#verdicts ~ table") ? box(page.querySelector("#verdicts ~ table")) : null;
  found.result = page.querySelector("#result") ? box(page.querySelector("#result")) : null;
  found.phase = page.querySelector("#phase") ? box(page.querySelector("#phase ~ figure")) : null;
  found.formulas = [...page.querySelectorAll("ol.steps math")].length;
  found.formulas_drawn = 0;
  page.querySelectorAll("details").forEach(d => d.open = true);
  found.formulas_drawn = [...page.querySelectorAll("ol.steps math")].filter(m => m.clientWidth > 0 || m.getBoundingClientRect().width > 0).length;
  found.links = [...page.querySelectorAll("a[href^='#']")].map(a => {{
    frame.contentWindow.scrollTo(0, 0);
    a.click();
    const target = page.getElementById(decodeURIComponent(a.hash.slice(1)));
    return [a.hash, !!target, !!target && frame.contentWindow.location.hash === a.hash];
  }});
  found.open_scroll_width = root.scrollWidth;
  document.getElementById("found").textContent = JSON.stringify(found);
}};
</script>"""  # noqa: E501


def look(page: Path, folder: Path, *, width: int = 1280, height: int = 900) -> dict:
    """Open ``page`` in a window and say what is in it; ``console`` and ``requests`` are what the browser recorded."""
    probe = folder / f"probe-{width}.html"
    probe.write_text(_PROBE.format(page=page.resolve().as_uri(), width=width).replace("900px", f"{height}px"))
    log = folder / f"net-{width}.json"
    done = _run(
        folder, f"--window-size={width},{height}", f"--log-net-log={log}", "--enable-logging=stderr", "--dump-dom",
        "--virtual-time-budget=20000", probe.resolve().as_uri(),
    )  # fmt: skip
    told = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert told is not None, done.stderr[-2000:]
    found = json.loads(html.unescape(told.group(1)))
    found["console"] = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    found["requests"] = _requests(log)
    return found


def print_to_pdf(page: Path, folder: Path) -> bytes:
    """Return the PDF that printing the page gives."""
    target = folder / "printed.pdf"
    _run(folder, f"--print-to-pdf={target}", "--no-pdf-header-footer", page.resolve().as_uri())
    return target.read_bytes()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    assert CHROMIUM is not None
    command = [CHROMIUM, *_QUIET, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def _requests(log: Path) -> list[str]:
    """Every address that a request of the page was made to, as the browser's network log has it."""
    text = log.read_text()
    try:
        recorded = json.loads(text)
    except json.JSONDecodeError:  # the browser was stopped before it closed the list
        recorded = json.loads(text.rstrip().rstrip(",") + "]}")
    # what the browser does for itself (its clock, its updates) has no origin as initiator
    asked = (event.get("params", {}) for event in recorded["events"])
    urls = {one["url"] for one in asked if "url" in one and one.get("initiator", "not an origin") != "not an origin"}
    return sorted(url for url in urls if not url.startswith(("file:", "data:", "chrome:", "about:")))
