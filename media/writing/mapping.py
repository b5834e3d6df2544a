"""From the rows of the database to what the transition tables decide about, and back."""

from media.models import Desktop, Media, MediaRequest
from media.states import Change, DesktopSession, MediaSession, Options, Requested, State


def media_session_of(media: Media) -> MediaSession:
    return MediaSession(
        state=State(media.state),
        reason_code=media.reason_code_id,
        routable=media.routable,
        not_routable_next=media.not_routable_next,
        options=Options(
            max_dialog_limit=media.max_dialog_limit,
            interrupt_action=media.interrupt_action,
            dialog_logout_action=media.dialog_logout_action,
        )
        if media.max_dialog_limit
        else None,
        resume=State(media.resume) if media.resume else None,
    )


def set_media_session(media: Media, after: MediaSession, request: MediaRequest) -> None:
    media.state = after.state
    media.routable = after.routable
    media.not_routable_next = after.not_routable_next
    media.resume = after.resume or ""
    if after.reason_code != media.reason_code_id:
        media.reason_code = request.reason_code if after.reason_code else None
    options = after.options
    media.max_dialog_limit = options.max_dialog_limit if options else None
    media.interrupt_action = options.interrupt_action if options else ""
    media.dialog_logout_action = options.dialog_logout_action if options else ""


def desktop_session_of(desktop: Desktop) -> DesktopSession:
    return DesktopSession(
        state=State(desktop.state),
        reason_code=desktop.reason_code_id,
        extension=desktop.extension,
    )


def set_desktop_session(desktop: Desktop, after: DesktopSession, request: MediaRequest) -> None:
    desktop.state = after.state
    desktop.extension = after.extension
    if after.reason_code != desktop.reason_code_id:
        desktop.reason_code = request.reason_code if after.reason_code else None


def change_of(request: MediaRequest) -> Change:
    options = None
    if request.max_dialog_limit:
        options = Options(
            max_dialog_limit=request.max_dialog_limit,
            interrupt_action=request.interrupt_action,
            dialog_logout_action=request.dialog_logout_action,
        )
    return Change(
        requested=Requested(request.requested),
        reason_code=request.reason_code_id,
        options=options,
        extension=request.extension,
    )
