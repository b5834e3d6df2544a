"""The documents of Media that clients send, for the description only."""

from finesse.api.description import RequestSerializer
from finesse.api.fields import BooleanField, MrdIdField
from media.api.fields import (
    REASON,
    DialogLogoutActionField,
    InterruptActionField,
    MaxDialogLimitField,
    MediaUriField,
    RequestedMediaStateField,
    in_order,
)
from media.states import MEDIA_STATES, Requested
from reasoncodes.serializers import ChosenReasonCodeIdField


class MediaSignInSerializer(RequestSerializer):
    """Sign in [Media—Sign In]."""

    element = "Media"
    example = (
        "<Media><maxDialogLimit>5</maxDialogLimit><state>LOGIN</state>"
        "<interruptAction>ACCEPT</interruptAction>"
        "<dialogLogoutAction>CLOSE</dialogLogoutAction></Media>"
    )

    state = RequestedMediaStateField(
        choices=[Requested.LOGIN.value], help_text="The new state is NOT_READY"
    )
    maxDialogLimit = MaxDialogLimitField(help_text="Largest number of tasks at once")
    interruptAction = InterruptActionField(
        help_text="Whether a task of another MRD may interrupt (in interruptible MRDs)"
    )
    dialogLogoutAction = DialogLogoutActionField(
        required=False, help_text="What happens to tasks at sign-out; CLOSE if absent"
    )


class MediaChangeStateSerializer(RequestSerializer):
    """Change the state or sign out [Media—Change Agent State with Reason Code]."""

    element = "Media"
    example = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"

    state = RequestedMediaStateField(
        choices=in_order(MEDIA_STATES - {Requested.LOGIN}),
        help_text="The present state decides which are allowed; ACTIVE is the way back from WORK "
        "(our reading)",
    )
    reasonCodeId = ChosenReasonCodeIdField(
        help_text=f"{REASON}. With NOT_READY and LOGOUT only; required if the user has any to "
        "choose from",
    )


class MediaChangeModeSerializer(RequestSerializer):
    """Change the mode [Media—Change Agent to Routable/Not Routable]."""

    element = "Media"
    example = "<Media><routable>false</routable></Media>"

    routable = BooleanField(help_text="Whether tasks may be assigned; not together with a state")


class MediaOfListSerializer(RequestSerializer):
    """One Media of the list, with its id or its uri; otherwise like a request of its own
    [Media—Put List]."""

    element = "Media"
    least = 2

    id = MrdIdField(required=False, help_text="The mrdId")
    uri = MediaUriField(required=False, help_text="The path of the Media, instead of the id")
    state = RequestedMediaStateField(required=False, help_text="As in a request of its own")
    reasonCodeId = ChosenReasonCodeIdField(help_text="As in a request of its own")
    routable = BooleanField(required=False, help_text="As in a request of its own")
    maxDialogLimit = MaxDialogLimitField(required=False, help_text="With LOGIN")
    interruptAction = InterruptActionField(required=False, help_text="With LOGIN")
    dialogLogoutAction = DialogLogoutActionField(required=False, help_text="With LOGIN")


class MediaPutListSerializer(RequestSerializer):
    """Change several Media at once; all are accepted or none. No page prints the body: our
    reading [Media—Put List]."""

    element = "MediaList"
    example = (
        "<MediaList><Media><id>5001</id><state>READY</state></Media>"
        "<Media><uri>/finesse/api/User/1234/Media/5000</uri><routable>false</routable></Media>"
        "</MediaList>"
    )

    Media = MediaOfListSerializer(  # type: ignore[call-arg]
        many=True, min_length=1, help_text="At least one"
    )
