/** After its end a viewer looks once by itself: the session's key may have been changed just then. */
const FIRST_LOOK_MS = 1_500;

/** Whether this browser is signed in by now: then a viewer whose session has ended begins again. */
export async function lookForSession(url) {
  const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

/** Look soon after the end, and whenever somebody looks at the page. */
export function comeBack({ url }) {
  setTimeout(() => lookForSession(url), FIRST_LOOK_MS);
  document.addEventListener("visibilitychange", () => document.hidden || lookForSession(url));
}
