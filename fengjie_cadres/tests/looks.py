"""What a page must be for everybody's eyes and fingers: axe's rules, and our own measures."""

import pytest
from axe_playwright_python.sync_playwright import Axe

MEASURES = """() => ({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  small: Array.from(document.querySelectorAll("a.button, button, input:not([type=hidden]), select"))
    .filter(e => e.offsetParent && !e.classList.contains("hidden-input"))
    .filter(e => e.getBoundingClientRect().height < 44 && !["checkbox", "radio"].includes(e.type))
    .map(e => e.outerHTML.slice(0, 120)),
})"""
AXE = Axe()
#: A journey with scripts and, among the slow tests, without.
WITH_AND_WITHOUT = [True, pytest.param(False, marks=pytest.mark.slow)]
NARROW = 480
#: Axe's rules that a narrow window can change; the others are asked once, in the wide one.
OF_THE_WIDTH = ["scrollable-region-focusable", "link-name", "button-name", "label", "tabindex"]


def faults(page) -> list[tuple]:
    """What is wrong with the page that is open; nothing, one hopes."""
    narrow = page.viewport_size["width"] <= NARROW
    options = {"resultTypes": ["violations"]} | ({"runOnly": OF_THE_WIDTH} if narrow else {})
    found = [
        (page.url, violation["id"], [node["html"][:160] for node in violation["nodes"][:3]])
        for violation in AXE.run(page, options=options).response["violations"]
    ]
    measured = page.evaluate(MEASURES)
    if "/admin/" not in page.url and (measured["wide"] > 0 or measured["small"]):
        found.append((page.url, measured))
    return found
