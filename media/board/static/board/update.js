const SOURCE = /\/User\/([^/]+)(?:\/Media\/([^/]+))?/;
const parser = new DOMParser();

/** The root element, or null when the text is not well-formed. */
function parse(xml) {
  const parsed = parser.parseFromString(xml, "application/xml");
  return parsed.querySelector("parsererror") ? null : parsed.documentElement;
}

function child(element, name) {
  return [...(element?.children ?? [])].find((candidate) => candidate.localName === name) ?? null;
}

function textOf(element, name) {
  return child(element, name)?.textContent.trim() ?? "";
}

function readReasonCode(reason) {
  return { id: textOf(reason, "id"), label: textOf(reason, "label"), code: textOf(reason, "code") };
}

/** A Media has a `<ReasonCode>`, a User a `<reasonCode>` that is empty when there is none. */
function readReason(owner) {
  const reason = child(owner, "ReasonCode") ?? child(owner, "reasonCode");
  if (reason?.children.length) return readReasonCode(reason);
  const id = textOf(owner, "reasonCodeId");
  return id && id !== "-1" ? { id, label: `Reason ${id}`, code: "" } : null;
}

/** Milliseconds, or null when there is none: a state that never changed. */
function readMoment(owner, name) {
  const at = Date.parse(textOf(owner, name));
  return Number.isNaN(at) ? null : at;
}

function readMediaElement(media) {
  return {
    name: textOf(media, "name"),
    state: textOf(media, "state") || "UNKNOWN",
    reason: readReason(media),
    changedAt: readMoment(media, "stateChangeTime"),
    routable: textOf(media, "routable") === "true",
  };
}

function readUserElement(user) {
  return {
    name: [textOf(user, "firstName"), textOf(user, "lastName")].filter(Boolean).join(" "),
    team: textOf(user, "teamName"),
    state: textOf(user, "state") || "UNKNOWN",
    reason: readReason(user),
    changedAt: readMoment(user, "stateChangeTime"),
  };
}

function readServiceElement(systemInfo) {
  return { status: textOf(systemInfo, "status") || "UNKNOWN", faults: textOf(systemInfo, "statusReason") };
}

function readWaitingChange(waiting) {
  return {
    mrdId: textOf(waiting, "mrdId"),
    requested: textOf(waiting, "requested"),
    outcome: textOf(waiting, "outcome"),
    /** Who has ended it; empty for the system. */
    endedBy: textOf(waiting, "endedBy"),
    waitsFor: textOf(waiting, "waitsFor"),
    /** The place in a queue, and of how many; empty for what waits for no place. */
    place: textOf(waiting, "place"),
    placeOf: textOf(waiting, "placeOf"),
  };
}

function readError(error) {
  return { constant: textOf(error, "errorMessage"), type: textOf(error, "errorType"), media: textOf(error, "errorMedia") };
}

/** Parse a notification frame and its `<Update>`; `contents` names the elements of its data. */
export function readNotification(frame) {
  const xml = frame.update ?? "";
  const update = parse(xml);
  const data = child(update, "data");
  const media = child(data, "Media");
  const user = child(data, "user");
  const systemInfo = child(data, "systemInfo");
  const reasonCode = child(data, "ReasonCode");
  const waiting = child(data, "WaitingChange");
  const limit = child(data, "Limit");
  const source = frame.source || textOf(update, "source");
  const [, agentId = "", mrdId = ""] = SOURCE.exec(source) ?? [];
  return {
    position: frame.position,
    event: frame.event || textOf(update, "event"),
    requestId: frame.requestId || textOf(update, "requestId"),
    at: Date.parse(frame.at),
    source,
    agentId: decode(agentId),
    mrdId: decode(mrdId),
    /** Who has brought it about, if it was not the agent, and the note: {cause, actor, note}. */
    context: frame.context || null,
    xml,
    isReadable: update !== null,
    media: media && readMediaElement(media),
    user: user && readUserElement(user),
    /** Of a list of reason codes: the one that was added, changed or removed. */
    reasonCode: reasonCode && readReasonCode(reasonCode),
    /** What waits until the state rules allow it, and how it ended, if it has. */
    waitingChange: waiting && readWaitingChange(waiting),
    /** Of a break rule: the time of a stay is over, and who is told. */
    limit: limit && { label: textOf(limit, "label"), to: textOf(limit, "to") },
    service: systemInfo && readServiceElement(systemInfo),
    errors: [...(child(data, "apiErrors")?.children ?? [])].map(readError),
    contents: [...(data?.children ?? [])].map((element) => element.localName),
  };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The XML indented by two spaces, or unchanged when it is not well-formed. */
export function prettyPrint(xml) {
  const root = parse(xml);
  return root ? printElement(root, "") : xml;
}

function printElement(element, indent) {
  const attributes = [...element.attributes].map(({ name, value }) => ` ${name}="${escape(value).replaceAll('"', "&quot;")}"`);
  const open = `${indent}<${element.nodeName}${attributes.join("")}>`;
  const close = `</${element.nodeName}>`;
  if (!element.children.length) return open + escape(element.textContent) + close;
  const lines = [...element.childNodes].map((node) => printNode(node, `${indent}  `)).filter(Boolean);
  return [open, ...lines, indent + close].join("\n");
}

function printNode(node, indent) {
  if (node.nodeType === Node.ELEMENT_NODE) return printElement(node, indent);
  const text = node.nodeType === Node.COMMENT_NODE ? "" : node.textContent.trim();
  return text && indent + escape(text);
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
