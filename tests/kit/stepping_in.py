"""Rows of the board that a supervisor acts on."""

from typing import Any

MRD_CHAT, MRD_EMAIL = 5000, 5001


def choose(window: Any, *rows: tuple[str, int]) -> None:
    for login, mrd in rows:
        window.page.get_by_test_id(f"row-{login}-{mrd}").get_by_role("checkbox").check()


def result(window: Any, login: str, mrd: int) -> Any:
    return window.page.get_by_test_id(f"result-{login}-{mrd}")
