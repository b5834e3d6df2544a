import { persist, postJson } from "../supervision/asking.js";

/** Lets a change of one's own wait, in the place of the one before. */
export function letWait(url, { mrd, isDesktop }, requested, given) {
  const reasonCode = given.reasonCodeId ? Number(given.reasonCodeId) : null;
  return postJson(url, { mrdId: isDesktop ? null : Number(mrd.id), requested, reasonCode, note: "" });
}

/** Cancels it, until there is an answer. */
export function cancelWaiting(url, { id }) {
  return persist(`${url}${id}/cancel/`, {});
}
