"""A headless Chromium, by selenium: without a network, in a width and a colour scheme, and what it complained of."""
import json
import os

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    MISSING = [path for path in ("/usr/bin/chromium", "/usr/bin/chromedriver") if not os.access(path, os.X_OK)]
except ImportError:
    MISSING = ["python3-selenium"]

# Why it can not be: for unittest's skip. Empty: it can.
WHY_NOT = f"no {MISSING[0]} (scripts/setup test)" if MISSING else ""
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
             "--host-resolver-rules=MAP * ~NOTFOUND"]

# Pairs of texts of the ladder that cover each other by more than a hair, in both directions.
OVERLAPS = """
const texts = [...document.querySelectorAll("#ladder-svg text")].map((t) => ({ t, b: t.getBoundingClientRect() })).filter((x) => x.b.width);
texts.sort((x, y) => x.b.top - y.b.top);
const bad = [];
texts.forEach((x, i) => { for (let k = i + 1; k < texts.length && texts[k].b.top < x.b.bottom - 3.5; k++) {
  const y = texts[k];
  if (Math.min(x.b.right, y.b.right) - Math.max(x.b.left, y.b.left) > 2) bad.push([x.t.textContent, y.t.textContent]);
} });
return bad;"""


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for word in ARGUMENTS:
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(60)

    def close(self):
        self.driver.quit()

    def show(self, path, width=1200, is_dark=False):
        """Loads a file. The size and the colours hold before the page's script runs."""
        command = self.driver.execute_cdp_cmd
        command("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500})
        command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]})
        self.driver.get("file://" + os.path.abspath(path))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys):
        """Keys as a person presses them: to whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """What was asked for since the last call, but the file itself and what is written in it."""
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("file://", "data:", "blob:", "chrome"))], len(urls)
