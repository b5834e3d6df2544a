"""What the description says about the API as a whole; what is said of one thing stands with it."""

from dataclasses import dataclass

TITLE = "Finesse Media"
SUMMARY = "What an agent's state is in each Media Routing Domain, in Cisco Finesse's own protocol."
MANNERS = (
    "XML in and XML out, with `Content-Type: application/xml`. Bodies are UTF-8, at most 64 KiB, "
    "without DTD or entities. Unknown elements are ignored; the order does not matter; of a "
    "repeated element the last one counts.",
    "HTTP Basic with every request; the user name is the login id. Five wrong passwords in a row "
    "block a user for five minutes, and the answer is the one to a wrong password.",
    "Paths work with and without a slash at the end. Ids are texts: `05001` is not `5001`. "
    "Unknown query parameters are ignored.",
    "A `requestId` header of a PUT, POST or DELETE comes back in the answer, and in the error "
    "notification that such a request may end in.",
    "Errors are looked for in this order: 503, 401, 405 or 404, 400.",
)
XML_SCHEMA = (
    "Every document of the API. None has a namespace. Titles in [brackets] are pages of Finesse's "
    "documentation. The global elements are the documents that the server answers and publishes; "
    "their elements have a fixed order. The documents that clients send have the same root "
    "elements with other contents, so each of them is a global type, to validate the root element "
    "by: its elements may have any order. The server accepts more than these types: it ignores "
    "unknown elements, takes the last of a repeated element, and accepts booleans in upper case. "
    "A request that is valid here is understood by every Finesse."
)
RESOURCES = {
    "Media": "The state of one user in one Media Routing Domain (MRD). A change is accepted with "
    "202; what came of it is told as a notification.",
    "User": "A person, and the session of the person's desktop, which is the one of the voice MRD.",
    "Team": "A team and its members.",
    "ReasonCode": "Why an agent is not ready or signed out. Where any are configured for a user, "
    "the user must choose one.",
    "MediaDomain": "The Media Routing Domains themselves.",
    "Dialogs": "Calls and tasks. This service routes neither, so the lists are empty.",
    "SystemInfo": "Whether the service is in service.",
}
"""The resources, in the order of the pages."""


@dataclass(frozen=True, slots=True)
class Parameter:
    text: str
    example: str


PARAMETERS = {
    "userId": Parameter("The user's login id", "1234"),
    "mrdId": Parameter("The id of the MRD", "5001"),
    "teamId": Parameter("The id of the team", "1"),
    "reasonCodeId": Parameter("The database id of the reason code", "1002"),
}
QUERIES = {"category": "NOT_READY", "code": "2"}
"""An example of each query parameter."""
REQUEST_ID = "Any 1 to 255 printable ASCII characters; another one is ignored"
REQUEST_ID_BACK = "The requestId of the request, if it had one"
STATUSES = {
    (200, True): "The document",
    (200, False): "Done; the body is empty",
    (202, False): "Accepted; the body is empty, the outcome is told as a notification",
}
"""What each status says, with a document or without."""
