"""The texts about the API as a whole. The text about one thing stands with its declaration."""

from dataclasses import dataclass

TITLE = "Finesse Media"
SUMMARY = "The state of each agent in each Media Routing Domain, in Cisco Finesse's protocol."
GENERAL_RULES = (
    "Requests and answers are XML, with `Content-Type: application/xml`. The body of a request has "
    "at most 64 KiB, and no DTD or entities. It is UTF-8, or declares that it is US-ASCII, "
    "ISO-8859-1 or Windows-1252. Its elements may have any order. The server ignores unknown "
    "elements and takes the last of a repeated element.",
    "Send HTTP Basic with every request; the user name is the login id. Five wrong passwords for a "
    "user from one address block the user at this address for five minutes. During this time, the "
    "right password gets the same answer as a wrong one, unless it was verified there before.",
    "A path may end in a slash or not. Ids are texts: `05001` is not `5001`. The server ignores "
    "unknown query parameters.",
    "The `requestId` header of a PUT, POST or DELETE comes back in the answer. If the request "
    "fails after it was accepted, it comes back in the error notification, too.",
    "The server looks for errors in this order: 503, 401, 405 or 404, 400.",
)
XML_SCHEMA = (
    "Every document of the API. None has a namespace. Titles in [brackets] are pages of Finesse's "
    "documentation. The global elements are the documents that the server answers and publishes; "
    "their elements have a fixed order. The documents that clients send have the same root "
    "elements with other contents, so each of them is a global type, to validate the root element "
    "by: its elements may have any order. The server accepts more than these types: it ignores "
    "unknown elements, takes the last of a repeated element, and accepts booleans in upper case. "
    "Every Finesse understands a request that is valid here, except what is marked as our reading."
)
RESOURCES = {
    "Media": "The state of one user in one Media Routing Domain (MRD). The server accepts a change "
    "with 202 and publishes the outcome as a notification.",
    "User": "A person, and the state of the person's desktop, which is that of the voice MRD.",
    "Team": "A team and its members.",
    "ReasonCode": "Why an agent is not ready or signed out. If there are reason codes for a user, "
    "the user must choose one of them.",
    "MediaDomain": "The Media Routing Domains themselves.",
    "Dialogs": "Calls and tasks. This server routes neither, so the lists are empty.",
    "Desktop": "Lists that desktops ask for at their start. This server has nothing for them, so "
    "they are empty.",
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
REQUEST_ID = "1 to 255 printable ASCII characters of your choice; the server ignores any other"
REQUEST_ID_BACK = "The requestId of the request, if it had one"
STATUSES = {
    (200, True): "The document",
    (200, False): "Done; the body is empty",
    (202, False): "Accepted; the body is empty, the outcome follows as a notification",
}
"""The meaning of each status, by whether the answer has a document."""
