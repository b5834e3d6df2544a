/**
 * The body of the API's PUT.
 *
 * @param {boolean} isDesktop a User, otherwise a Media
 * @param {string} requested such as READY, or ROUTABLE
 * @param {object} given reasonCodeId, extension, maxDialogLimit, interruptAction, dialogLogoutAction
 */
export function bodyOf(isDesktop, requested, given = {}) {
  const root = isDesktop ? "User" : "Media";
  return `<${root}>${elements({ ...asked(requested), ...given })}</${root}>`;
}

function asked(requested) {
  if (requested === "ROUTABLE") return { routable: true };
  if (requested === "NOT_ROUTABLE") return { routable: false };
  return { state: requested };
}

function elements(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== "" && value !== undefined)
    .map(([name, value]) => `<${name}>${escape(String(value))}</${name}>`)
    .join("");
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
