const channel = new BroadcastChannel("finesse-session");

/** Let viewers in other tabs check whether they are still signed in. */
export function checkOtherTabs() {
  channel.postMessage("check");
}

/**
 * The session goes on, by another key perhaps: let viewers in other tabs begin again if they took it for
 * ended.
 */
export function beginAgainInOtherTabs() {
  channel.postMessage("begin again");
}

/** Call `work` when another tab wants the session checked. */
export function onCheckRequested(work) {
  channel.onmessage = work;
}
