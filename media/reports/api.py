"""Reports for programs: `/finesse-media/api/reports/…`, in JSON by pages, or as whole files.

It is an API of this project's own. Cisco's is at `/finesse/api/`, speaks XML, and has its own
description.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finesse import wait_limit
from finesse.api.authentication import BasicAuthentication
from finesse.api.errors import as_finesse_error
from finesse.users.models import User
from media.reports import tables
from media.reports.description import document
from media.reports.files import items, response_with
from media.reports.naming import Names
from media.reports.periods import RefusedError
from media.reports.requested import Requested, requested
from media.reports.scope import scope_of
from media.reports.sign_ins import signed_in
from media.reports.stays import Stay, all_stays
from media.reports.sums import sums
from media.reports.tables import Table

REPORT_SECONDS = 30.0
"""For which a page of a report may wait for the database."""
FILE_SECONDS = 600.0


class ReportView(APIView):
    """GET with HTTP Basic, or with the session of a browser. Errors are JSON, too."""

    authentication_classes = (BasicAuthentication, SessionAuthentication)
    http_method_names = ["get", "head", "options"]
    # It is not of the protocol that FinesseSchema describes.
    schema = None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Whatever the client accepts; DRF would take `format` for the name of a renderer.
        return JSONRenderer(), JSONRenderer.media_type

    def get(self, request: Request) -> Response | StreamingHttpResponse:
        user: Any = request.user
        return self.answer(request, user)

    def answer(self, request: Request, user: User) -> Response | StreamingHttpResponse:
        given = {name: str(value) for name, value in request.query_params.items()}
        if any("\0" in value for value in given.values()):
            raise RefusedError("A parameter has a character that no parameter has.")
        asked = requested(given, scope_of(user))
        if asked.file:
            with wait_limit.raised(FILE_SECONDS):
                return response_with(self.table(asked), asked.file, FILE_SECONDS)
        with wait_limit.raised(REPORT_SECONDS):
            return self._page(request, asked)

    def _page(self, request: Request, asked: Requested) -> Response:
        table, after = self.page(asked)
        query = request.query_params.dict()
        following = f"?{urlencode({**query, 'after': after})}" if after else None
        content = {
            "from": asked.period.start.astimezone(asked.zone).isoformat(),
            "to": asked.period.end.astimezone(asked.zone).isoformat(),
            "zone": asked.zone.key,
            "items": [*items(table.columns, table.rows)],
            "next": following,
        }
        return Response(content, headers={"Cache-Control": "no-store"})

    def table(self, asked: Requested) -> Table:
        """All of it."""
        raise NotImplementedError

    def page(self, asked: Requested) -> tuple[Table, str]:
        """One page, and what `after` is to be for the next one; empty after the last."""
        table, first = self.table(asked), _place(asked.after)
        found = [*islice(table.rows, first, first + asked.limit + 1)]
        after = str(first + asked.limit) if len(found) > asked.limit else ""
        return Table(name="", columns=table.columns, rows=found[: asked.limit]), after

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, RefusedError):
            return Response({"error": str(exc)}, status=400)
        error = as_finesse_error(exc)
        response = Response(
            {"error": error.message, "type": error.row.type},
            status=error.status_code,
            headers=error.headers,
        )
        if error.status_code == 401:
            challenge = BasicAuthentication().authenticate_header(self.request)
            response["WWW-Authenticate"] = challenge
        return response


class Sums(ReportView):
    def table(self, asked: Requested) -> Table:
        return tables.of_sums(sums(asked.scope, asked.period, asked.step, asked.by))


class SignIns(ReportView):
    def table(self, asked: Requested) -> Table:
        found = signed_in(asked.scope, asked.period)
        return tables.of_sign_ins(found, asked.zone, Names(timezone.now()))


class Stays(ReportView):
    def table(self, asked: Requested) -> Table:
        return self._table(asked, all_stays(asked.scope, asked.period))

    def page(self, asked: Requested) -> tuple[Table, str]:
        # From where the last page ended, without reading all that is before it.
        found = [*islice(_stays_after(asked), asked.limit + 1)]
        shown = found[: asked.limit]
        after = _place_of(shown[-1]) if len(found) > asked.limit else ""
        return self._table(asked, shown), after

    def _table(self, asked: Requested, found: Iterable[Stay]) -> Table:
        return tables.of_stays(found, asked.zone, Names(timezone.now()))


class Description(APIView):
    """The OpenAPI document of these addresses, for everybody."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = DefaultContentNegotiation
    http_method_names = ["get", "head", "options"]
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())


def _place(after: str) -> int:
    if not after:
        return 0
    if after.isascii() and after.isdigit() and len(after) < 10:
        return int(after)
    raise RefusedError("after must be as in the link to the next page.")


def _stays_after(asked: Requested) -> Iterator[Stay]:
    if not asked.after:
        yield from all_stays(asked.scope, asked.period)
        return
    try:
        login_id, mrd, micros, pk = asked.after.rsplit("~", 3)
        last = int(mrd), int(micros), int(pk)
    except ValueError:
        raise RefusedError("after must be as in the link to the next page.") from None
    for stay in all_stays(asked.scope, asked.period, since_agent=login_id):
        if stay.login_id != login_id or _order(stay) > last:
            yield stay


def _order(stay: Stay) -> tuple[int, int, int]:
    return stay.mrd_id, round(stay.started_at.timestamp() * 1e6), stay.id


def _place_of(stay: Stay) -> str:
    return "~".join([stay.login_id, *map(str, _order(stay))])
