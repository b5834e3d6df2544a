const channel = new BroadcastChannel("finesse-session");

/** Let viewers in other tabs check whether they are still signed in. */
export function checkOtherTabs() {
  channel.postMessage("check");
}

/** Call `work` when another tab wants the session checked. */
export function onCheckRequested(work) {
  channel.onmessage = work;
}
