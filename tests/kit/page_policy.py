"""What a page does against its Content-Security-Policy."""

from playwright.sync_api import Page

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (violation) =>
  window.violations.push(`${violation.effectiveDirective} ${violation.blockedURI} ` +
    `${violation.sourceFile}:${violation.lineNumber} ${violation.sample}`));
"""


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations")
    return found
