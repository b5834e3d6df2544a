"""The operation of SystemInfo, for the description."""

from finesse.api.description import ANYBODY, Operation
from finesse.api.errors import BAD_REQUEST
from finesse.status import serializers

GET_SYSTEM_INFO = Operation(
    summary="Read what the service is, and whether it is in service",
    page="SystemInfo",
    callers=ANYBODY,
    text="It needs no authentication and answers out of service, too: clients poll it until the "
    "service is back.",
    answer=serializers.SystemInfoSerializer,
    errors=(BAD_REQUEST,),
    notification=serializers.SYSTEM_INFO_NOTIFICATION,
)
