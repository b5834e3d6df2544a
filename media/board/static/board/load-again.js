/**
 * Loads the page again when one of its scripts or styles did not come, which needs no fault of the server:
 * a browser gives up what it is loading when its machine changes networks. Without its modules the board
 * would say "Connecting…" for ever, on a wall until somebody comes by.
 *
 * This is no module, and the first thing that the page loads, so that it is there when they are not.
 */
(() => {
  const FIRST_DELAY_MS = 1_000;
  /** After a reload: what is still missing may be missing for long, and for all viewers at once. */
  const NEXT_DELAY_MS = 10_000;

  let isWaiting = false;

  // Such an event does not bubble, so it is seen on its way down. If an import is missing, the error is at the
  // script that imports it.
  window.addEventListener("error", ({ target }) => isNeeded(target) && loadAgain(), { capture: true });

  /** Not what a proxy or a virus scanner has put into the page, and the page's policy refuses. */
  function isNeeded(target) {
    if (!(target instanceof Element && target.matches("script, link[rel=stylesheet]"))) return false;
    return new URL(target.src || target.href, location).origin === location.origin;
  }

  function loadAgain() {
    if (isWaiting) return;
    isWaiting = true;
    const [navigation] = performance.getEntriesByType("navigation");
    const longest = navigation?.type === "reload" ? NEXT_DELAY_MS : FIRST_DELAY_MS;
    say("Not loaded completely; loading again…");
    setTimeout(reload, longest * (0.5 + Math.random() / 2));
  }

  /** Not before the page is there again: a page of an error, a proxy's or the browser's, would stay. */
  async function reload() {
    try {
      const { ok } = await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (!ok) throw new Error("not there yet");
      location.reload();
    } catch {
      isWaiting = false;
      loadAgain();
    }
  }

  function say(text) {
    const connection = document.querySelector("[data-testid=connection]");
    if (!connection) return;
    connection.dataset.state = "reconnecting";
    connection.querySelector("[data-part=text]").textContent = text;
    document.querySelector("#announcer").textContent = text;
  }
})();
