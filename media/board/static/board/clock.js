// In seconds.
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const timeOfDay = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dateAndTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** The server's time, and one timer for everything that ticks. All times in milliseconds. */
export class Clock {
  // The bounds of the offset: the server's clock minus this machine's.
  #low = -Infinity;
  #high = Infinity;

  /**
   * Narrow the bounds by a response's Date header, which is cut to the second. `sentAt` is this
   * machine's time when the request was sent.
   */
  observe(response, sentAt) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) this.#narrow(date - Date.now(), date + 1000 - sentAt);
  }

  #narrow(low, high) {
    const narrowest = [Math.max(low, this.#low), Math.min(high, this.#high)];
    // No overlap: one of the clocks was set meanwhile, so the earlier bounds are void.
    [this.#low, this.#high] = narrowest[0] <= narrowest[1] ? narrowest : [low, high];
  }

  /** The smallest offset within the bounds. */
  get #offset() {
    return Math.min(Math.max(0, this.#low), this.#high);
  }

  now() {
    return Date.now() + this.#offset;
  }

  /** Call `work` just after each full second while the page is visible. */
  everySecond(work) {
    let timer = 0;
    const tick = () => {
      clearTimeout(timer);
      if (document.hidden) return;
      work();
      timer = setTimeout(tick, 1005 - (Date.now() % 1000));
    };
    document.addEventListener("visibilitychange", tick);
    tick();
  }
}

/** A duration such as 0:42, 12:05, 3:07:09 or 2 d 4 h. */
export function formatDuration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds >= DAY) return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
  const hours = Math.floor(seconds / HOUR);
  const minutes = Math.floor((seconds % HOUR) / MINUTE);
  const tail = String(seconds % MINUTE).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Local time to the second, with the date unless it is today's. */
export function formatMoment(milliseconds) {
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? timeOfDay : dateAndTime).format(date);
}

export function formatDateAndTime(milliseconds) {
  return dateAndTime.format(milliseconds);
}

/** The zone in which all times are shown, as in Europe/Berlin. */
export function zoneName() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
