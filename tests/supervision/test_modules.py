"""The panel's modules that need no page: their tests are in JavaScript, beside this file."""

from pathlib import Path

import pytest

from tests.kit import modules

HERE = Path(__file__).parent


@pytest.mark.parametrize("module", modules.tested(HERE))
def test_the_module_passes_its_own_tests(module: str) -> None:
    modules.passes(HERE, module)
