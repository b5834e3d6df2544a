"""The pages that state what is checked, by their titles; sections are grouped as they are."""

# --- HTTP -----------------------------------------------------------------------------------------

CLIENT_REQUESTS = "Client Requests"
PARAMETER_TYPES = "API Parameter Types"
API_ERRORS = "Cisco Finesse API Errors"
CORS = "Cisco Finesse CLI (administration guide)"
LAYOUT_ERRORS = "MediaPropertiesLayout API Errors"
RFC_9110 = "RFC 9110 HTTP Semantics"
RFC_7617 = "RFC 7617 Basic Authentication"
XML_10 = "XML 1.0"

# --- Media ----------------------------------------------------------------------------------------

SEED = "Media—Change Agent State with Reason Code"
MEDIA = "Media"
SIGN_IN = "Media—Sign In"
CHANGE_STATE = "Media—Change State or Sign Out"
ROUTABLE = "Media—Change Agent to Routable/Not Routable"
WORK = "Media—Change Agent from Work State to Active"
PUT_LIST = "Media—Put List"
GET_MEDIA = "Media - Get Media"
GET_LIST = "Media - Get List"
MEDIA_PARAMETERS = "Media API Parameters"
MEDIA_ERRORS = "Media API Errors"
STATES = "Agent States for Nonvoice Media"
ARM_ERRORS = "Errors for Agent State and Mode Changes"
FAILURES = "Failure Handling for Task Routing Clients"
RELEASE_12_6_2 = "Release Notes 12.6(2): Finesse"
REASON_REQUIRED = "Error changing agent state to NOT_READY (DevNet support)"
REASON_NOT_ALLOWED = "Changing agent state and code with API (community)"

# --- Notifications --------------------------------------------------------------------------------

NOTIFICATION_PARAMETERS = "Notification Parameters"
MEDIA_NOTIFICATION = "Media Notification"
ASYNCHRONOUS_ERROR = "Media and Dialogs/Media Asynchronous Error Notification"
ABOUT_NOTIFICATIONS = "About Cisco Finesse Notifications"
SUBSCRIPTIONS = "Subscription Management"
USER_NOTIFICATION = "User Notification"

# --- Reason codes ---------------------------------------------------------------------------------

REASON_CODE = "ReasonCode"
REASON_CODE_PARAMETERS = "ReasonCode API Parameters"
REASON_CODE_ERRORS = "ReasonCode API Errors"
REASON_CODE_LOOKUP = "ReasonCodeLookup"
MANAGE_REASON_CODES = "Manage Reason Codes (administration guide)"
USER_REASON_CODE = "User—Get Reason Code"
USER_REASON_CODES = "User—Get Reason Code List"
REST_APIS = "Cisco Finesse REST APIs"

# --- User, Team, SystemInfo -----------------------------------------------------------------------

USER = "User"
USER_SIGN_IN = "User—Sign In to Finesse"
USER_ERRORS = "User API Errors"
USER_NONVOICE = "User APIs for Nonvoice Tasks"
STATE_REASONS = "Reason Codes for Agent State Change"
TEAM = "Team"
SYSTEM_INFO = "SystemInfo"
SYSTEM_INFO_PARAMETERS = "SystemInfo API Parameters"
DIALOGS = "Dialog APIs for Nonvoice Tasks"

# --- Not pages ------------------------------------------------------------------------------------

CLIENT = "Cisco's JavaScript client 10.5.1 (observed)"
SAMPLES = "Cisco's samples (observed)"
CAPTURE = "answers of a real system (observed)"
SOCKET = "docs/api.md of Finesse Media"


def guide(*numbers: int) -> str:
    """Pages of the developer's guide by their numbers."""
    return f"Web Services Developer Guide 12.5(1), p. {', '.join(map(str, numbers))}"
