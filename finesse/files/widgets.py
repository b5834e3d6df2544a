"""How values stand in the cells of a table: django-import-export's widgets, with our words."""

import re
from collections.abc import Mapping
from typing import Any

from import_export.widgets import Widget

from finesse.files.columns import spelling

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_YES = frozenset({"yes", "y", "true", "x", "1"})
_NO = frozenset({"no", "n", "false", "0"})


class Text(Widget):  # type: ignore[misc]
    """A text, without blanks around it."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        return value.strip()


class WholeNumber(Widget):  # type: ignore[misc]
    """Plain decimals, as in the API: `007` is not 7. An empty cell is None."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int | None:
        if not value:
            return None
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"“{value}” is no whole number. Write it as in 12.")
        return int(value)

    def render(self, value: int | None, obj: Any = None, **kwargs: Any) -> int | str:
        return "" if value is None else value


class YesNo(Widget):  # type: ignore[misc]
    """`yes` or `no`; what an empty cell means is given."""

    def __init__(self, empty: bool | None) -> None:
        super().__init__()
        self.empty = empty

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool | None:
        said = spelling(value)
        if not said:
            return self.empty
        if said not in _YES | _NO:
            raise ValueError(f"“{value}” is neither yes nor no.")
        return said in _YES

    def render(self, value: bool | None, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else "yes" if value else "no"


class OneOf(Widget):  # type: ignore[misc]
    """One of a few values, by their names in whatever case. The first name of a value is shown."""

    def __init__(self, names: Mapping[str, Any], empty: Any = None) -> None:
        super().__init__()
        self.by_name = {spelling(name): value for name, value in names.items()}
        self.shown: dict[Any, str] = {}
        for name, value in names.items():
            self.shown.setdefault(value, name)
        self.empty = empty

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        if not value and self.empty is not None:
            return self.empty
        try:
            return self.by_name[spelling(value)]
        except KeyError:
            offered = " or ".join(f"“{name}”" for name in self.shown.values())
            given = f"“{value}” is not known. " if value else ""
            raise ValueError(f"{given}Write {offered}.") from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return self.shown.get(value, str(value))
