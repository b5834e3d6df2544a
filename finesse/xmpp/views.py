"""Checks passwords for the XMPP server that runs beside this service."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from finesse.client_networks import origin_of
from finesse.xmpp.sasl import SASLError, sign_in

_STATUS = {"not-authorized": 401}
"""All other conditions are temporary failures: 503."""


@csrf_exempt
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    """200 if the form's `password` is that of its `user`, 401 if not, 503 if no check is possible.

    `address` is the address of the user's client. It also answers while the service is out of
    service, so that clients can sign in while it comes back. A caller that does not know
    FINESSE_XMPP_SECRET gets 403; if none is set, 404.
    """
    if not (secret := settings.FINESSE_XMPP_SECRET):
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {secret}"):
        return HttpResponse(status=403)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user, given = request.POST.get("user", ""), request.POST.get("password", "")
    if not user or "\0" in user + given:
        return HttpResponse(status=401)
    try:
        sign_in(user, given, origin_of(request.POST.get("address", "")))
    except SASLError as error:
        return HttpResponse(status=_STATUS.get(error.condition, 503))
    return HttpResponse()
