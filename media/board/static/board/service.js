const CHECK_INTERVAL_MS = 10_000;
const ANSWER_TIMEOUT_MS = 8_000;
/** A single unanswered request can be an accident. */
const UNREACHABLE_AFTER_MISSES = 2;

/** Asks /healthz while the page is visible, and shows which parts of the service fail. */
export class Service {
  #element;
  #clock;
  #announce;
  #onUnreachable;
  #timer = 0;
  #isChecking = false;
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
    if (document.hidden || this.#isChecking || this.#isStopped) return;
    this.#isChecking = true;
    const health = await this.#fetchHealth();
    this.#isChecking = false;
    this.#show(health);
    this.#misses = health.status === "UNREACHABLE" ? this.#misses + 1 : 0;
    if (this.#misses >= UNREACHABLE_AFTER_MISSES) this.#onUnreachable();
    if (!this.#isStopped) this.#timer = setTimeout(() => this.check(), CHECK_INTERVAL_MS);
  }

  async #fetchHealth() {
    const sentAt = Date.now();
    try {
      const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
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
  // A proxy in front of the service may answer 503 with a page that is not JSON.
  const { parts = {} } = await response.json().catch(() => ({}));
  const faults = Object.entries(parts).filter(([, condition]) => condition !== "ok");
  return {
    status: response.ok ? "IN_SERVICE" : "OUT_OF_SERVICE",
    faults: faults.map(([part, condition]) => `${part}: ${condition}`).join("; "),
  };
}
