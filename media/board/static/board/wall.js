import { lookForSession } from "./coming-back.js";
import { csrfToken } from "./csrf.js";

/** A session lasts two weeks from the last time that it was renewed. */
const RENEW_MS = 60 * 60 * 1000;
/** So often a wall whose session has ended looks whether somebody has signed in again beside it. */
const LOOK_MS = 15_000;

/**
 * A board on a wall, which nobody touches: its session is renewed every hour, so that it never ends by
 * its age. If it was ended all the same, the page begins again as soon as this browser has another.
 */
export function hang({ main, connection }) {
  main.querySelector("#facets").open = true;
  const renew = () => fetch(main.dataset.sessionUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, cache: "no-store" });
  const attempt = () => renew().catch(() => {});
  attempt();
  setInterval(attempt, RENEW_MS);
  setInterval(() => connection.hasEnded && lookForSession(main.dataset.reasonCodesUrl), LOOK_MS);
}
