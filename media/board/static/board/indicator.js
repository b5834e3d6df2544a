const TEXTS = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  reset: "Reloading the board…",
  "signed-out": "Signed out",
};

/** Shows the state of the connection, and the seconds to the next try. */
export class Indicator {
  #element;
  #text;
  #announce;
  #nextTryAt = null;
  #timer = 0;

  constructor(element, { announce }) {
    this.#element = element;
    this.#text = element.querySelector("[data-part=text]");
    this.#announce = announce;
  }

  show(state, { nextTryAt = null }) {
    const hasChanged = this.#element.dataset.state !== state;
    this.#element.dataset.state = state;
    this.#nextTryAt = nextTryAt;
    this.#showSignIn(state === "signed-out");
    this.#write();
    document.title = state === "live" ? "Finesse Media" : `${TEXTS[state]} – Finesse Media`;
    // A screen reader announces the state, but not each second of the countdown.
    if (hasChanged) this.#announce(`Connection: ${TEXTS[state]}`);
  }

  /** The way back to the page as it is now, filter included. */
  #showSignIn(isNeeded) {
    const link = this.#element.querySelector("[data-part=sign-in]");
    link.hidden = !isNeeded;
    const signIn = new URL(link.href);
    signIn.searchParams.set("next", location.pathname + location.search);
    link.href = signIn;
  }

  #write() {
    clearTimeout(this.#timer);
    const seconds = this.#nextTryAt === null ? 0 : Math.ceil((this.#nextTryAt - Date.now()) / 1000);
    const text = TEXTS[this.#element.dataset.state] + (seconds > 0 ? ` (next try in ${seconds} s)` : "");
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (seconds > 0) this.#timer = setTimeout(() => this.#write(), 250);
  }
}
