"""docs/licences.md lists what is installed, and nothing that one may not run the service on."""

import pytest

from tests.dependencies.licences import PAGE, PIP_LICENSES, page

pytestmark = pytest.mark.skipif(not PIP_LICENSES.exists(), reason="make .venv/audit/installed")


def test_the_page_is_what_the_installed_packages_say() -> None:
    assert PAGE.read_text() == page(), "make licences"


def test_every_package_is_under_a_licence_that_goes_with_ours() -> None:
    """Those that say what one may do, or LGPL and MPL, whose packages are used unchanged."""
    fine = ("MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "Mozilla", "LGPL")
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    others = [row for row in rows[1:] if not any(word in row[1] for word in fine)]
    assert others == []
