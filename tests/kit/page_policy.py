"""What a page does against its Content-Security-Policy."""

from playwright.sync_api import Page

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (violation) =>
  window.violations.push(`${violation.effectiveDirective} ${violation.blockedURI} ` +
    `${violation.sourceFile}:${violation.lineNumber} ${violation.sample}`));
"""


def violations(page: Page) -> list[str]:
    """What has been refused until the whole page, with its scripts and styles, was there."""
    page.wait_for_load_state()
    found: list[str] = page.evaluate("window.violations")
    return found
