"""The table at the end, and the same in JUnit's XML."""

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

import pytest

from kit.evidence import UnmetError

NARROWEST, WIDEST = 60, 160
"""Columns that the table takes at least and at most."""
_STACKED = 110
"""Below this width the sources stand under the sentences, not beside them."""
_RESULT, _KIND = 6, 12


@dataclass
class Check:
    section: str
    sentence: str
    pages: tuple[str, ...]
    kind: str
    outcomes: list[str] = field(default_factory=list)
    reason: str = ""
    """Why it failed or was skipped."""

    @property
    def result(self) -> str:
        for outcome in ("FAIL", "skip", "pass"):
            if outcome in self.outcomes:
                return outcome
        return "-"


class Report:
    """Every statement once, with what came of its checks."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.left_out = 0
        """Choices that `--documented-only` leaves out."""

    # --- collecting -----------------------------------------------------------------------------

    def take(self, items: Iterable[pytest.Item]) -> None:
        for item in items:
            marker = item.get_closest_marker("statement")
            if marker is None or len(marker.args) < 2:
                raise pytest.UsageError(f"{item.nodeid} has no statement with its pages")
            sentence, *pages = marker.args
            kind = marker.kwargs["kind"]
            section = _section(item)
            key = item.nodeid.partition("[")[0]
            check = Check(section, sentence, tuple(pages), kind)
            known = self.checks.setdefault(key, check)
            if any(other.sentence == sentence and other is not known for other in self._all()):
                raise pytest.UsageError(f"two checks prove the same sentence: {sentence}")
            item.user_properties += [
                ("section", section),
                ("statement", sentence),
                ("kind", kind),
                *(("source", page) for page in pages),
            ]

    def _all(self) -> list[Check]:
        return list(self.checks.values())

    def told(self, report: pytest.TestReport) -> None:
        check = self.checks.get(report.nodeid.partition("[")[0])
        if check is None:
            return
        if report.failed:
            check.outcomes.append("FAIL")
            check.reason = check.reason or _first_lines(report)
        elif report.skipped:
            check.outcomes.append("skip")
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            check.reason = check.reason or str(reason).removeprefix("Skipped: ")
        elif report.when == "call":
            check.outcomes.append("pass")

    @property
    def has_run(self) -> bool:
        return any(check.outcomes for check in self._all())

    # --- printing -------------------------------------------------------------------------------

    def lines(self, width: int) -> list[str]:
        width = max(NARROWEST, min(WIDEST, width))
        checks = [check for check in self._all() if check.outcomes]
        lines: list[str] = []
        section = ""
        for check in checks:
            if check.section != section:
                section = check.section
                lines += ["", section, "-" * len(section)]
            lines += _row(check, width)
        return [*lines, "", *self._totals(checks, width)]

    def _totals(self, checks: list[Check], width: int) -> list[str]:
        runs = Counter(outcome for check in checks for outcome in check.outcomes)
        results = Counter(check.result for check in checks)
        lines = [
            f"Checks:     {results['pass']} passed, {results['FAIL']} failed, "
            f"{results['skip']} skipped, of {len(checks)} "
            f"({sum(runs.values())} runs with their parameters)",
        ]
        for kind, label in (("documented", "Documented:"), ("choice", "Choices:   ")):
            of_kind = [check for check in checks if check.kind == kind]
            covered = sum(check.result == "pass" for check in of_kind)
            lines.append(f"{label} {covered} of {len(of_kind)} statements covered")
        if self.left_out:
            lines.append(f"Left out:   {self.left_out} choices, by --documented-only")
        reasons = Counter(check.reason for check in checks if check.result == "skip")
        for reason, number in reasons.most_common():
            lines += textwrap.wrap(
                f"Skipped:    {number} since {reason}", width, subsequent_indent=" " * 12
            )
        return lines


def _section(item: pytest.Item) -> str:
    text = str(getattr(item, "module").__doc__ or "")  # noqa: B009
    return text.strip().splitlines()[0].rstrip(".")


def _first_lines(report: pytest.TestReport) -> str:
    text = str(report.longrepr)
    told = [line for line in text.splitlines() if line.startswith(("expected: ", "came:     "))]
    if told:
        return "; ".join(" ".join(line.split()) for line in told[:2])
    return text.strip().splitlines()[-1] if text.strip() else "no reason"


def _row(check: Check, width: int) -> list[str]:
    free = width - _RESULT - _KIND
    pages = "; ".join(check.pages)
    if width < _STACKED:
        lines = textwrap.wrap(check.sentence, free) + textwrap.wrap(f"[{pages}]", free)
    else:
        source_width = free // 3
        sentence = textwrap.wrap(check.sentence, free - source_width - 2)
        source = textwrap.wrap(pages, source_width)
        beside = zip_longest(sentence, source, fillvalue="")
        lines = [f"{left:<{free - source_width}}{right}".rstrip() for left, right in beside]
    if check.result in {"FAIL", "skip"}:
        word = "failed" if check.result == "FAIL" else "skipped"
        lines += textwrap.wrap(f"{word}: {check.reason}", free, subsequent_indent="  ")
    first = f"{check.result:<{_RESULT}}{check.kind:<{_KIND}}"
    return [(" " * len(first) if number else first) + line for number, line in enumerate(lines)]


def told_plainly(item: pytest.Item, error: BaseException) -> str | None:
    """The text of a failure that a check has found; None for one of the kit itself."""
    if not isinstance(error, UnmetError):
        return None
    marker = item.get_closest_marker("statement")
    return f"{marker.args[0] if marker else item.name}\n\n{error}"
