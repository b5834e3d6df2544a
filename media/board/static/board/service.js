// Milliseconds.
const INTERVAL = 10_000;
const TIMEOUT = 8_000;
/** One unanswered question can be an accident. */
const DISTRUST_AFTER = 2;

/** Watches /healthz while the page is visible and shows what is down. */
export class Service {
  #element;
  #clock;
  #announce;
  #onUnreachable;
  #timer = 0;
  #isAsking = false;
  #isStopped = false;
  #misses = 0;

  constructor(element, { clock, announce, onUnreachable }) {
    this.#element = element;
    this.#clock = clock;
    this.#announce = announce;
    this.#onUnreachable = onUnreachable;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.check());
    this.check();
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async check() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#isAsking || this.#isStopped) return;
    this.#isAsking = true;
    const health = await this.#ask();
    this.#isAsking = false;
    this.#show(health);
    this.#misses = health.status === "UNREACHABLE" ? this.#misses + 1 : 0;
    if (this.#misses >= DISTRUST_AFTER) this.#onUnreachable();
    if (!this.#isStopped) this.#timer = setTimeout(() => this.check(), INTERVAL);
  }

  async #ask() {
    const sentAt = Date.now();
    try {
      const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
      this.#clock.observe(response, sentAt);
      return await readHealth(response);
    } catch {
      return { status: "UNREACHABLE", faults: "" };
    }
  }

  #show({ status, faults }) {
    const text = TEXTS[status];
    const hasChanged = this.#element.dataset.status !== status;
    const isNews = hasChanged && !(this.#element.dataset.status === "UNKNOWN" && status === "IN_SERVICE");
    this.#element.dataset.status = status;
    this.#element.querySelector("[data-part=text]").textContent = text;
    this.#element.querySelector("[data-part=faults]").textContent = faults;
    if (isNews) this.#announce(`${text} ${faults}`.trim());
  }
}

const TEXTS = {
  IN_SERVICE: "In service",
  OUT_OF_SERVICE: "Service out of service",
  UNREACHABLE: "Service unreachable",
};

async function readHealth(response) {
  // A proxy's 503 carries a page of its own.
  const { parts = {} } = await response.json().catch(() => ({}));
  const faults = Object.entries(parts).filter(([, condition]) => condition !== "ok");
  return {
    status: response.ok ? "IN_SERVICE" : "OUT_OF_SERVICE",
    faults: faults.map(([part, condition]) => `${part}: ${condition}`).join("; "),
  };
}
