const parser = new DOMParser();

/** One Media or the desktop: `document` is the XML of a `<Media>` or a `<user>`. */
export function readSubject({ mrd, source, document, by }) {
  return { mrd, source, by: by ?? null, ...readState(parser.parseFromString(document, "application/xml").documentElement) };
}

/** The state in a notification's `<Update>`; null if it contains none, as with an error. */
export function readUpdate(xml) {
  const update = parser.parseFromString(xml, "application/xml");
  const element = update.querySelector("data > Media, data > user");
  return element && textOf(element, "state") ? readState(element) : null;
}

function readState(element) {
  const isDesktop = element.localName === "user";
  const changedAt = Date.parse(textOf(element, "stateChangeTime"));
  return {
    isDesktop,
    isInterruptible: textOf(element, "interruptible") === "true",
    state: textOf(element, "state"),
    routable: textOf(element, "routable") === "true",
    extension: textOf(element, "extension"),
    reason: readReason(element),
    /** Milliseconds, or null when the state never changed. */
    changedAt: Number.isNaN(changedAt) ? null : changedAt,
    ...(isDesktop ? {} : { name: textOf(element, "name") }),
  };
}

function readReason(element) {
  const id = textOf(element, "reasonCodeId");
  if (!id || id === "-1") return null;
  const reason = child(element, "ReasonCode") ?? child(element, "reasonCode");
  return { id, label: textOf(reason, "label") || `Reason ${id}`, code: textOf(reason, "code") };
}

function child(element, name) {
  return [...(element?.children ?? [])].find(({ localName }) => localName === name) ?? null;
}

function textOf(element, name) {
  return child(element, name)?.textContent.trim() ?? "";
}
