const channel = new BroadcastChannel("finesse-session");

/** Ask the viewers in other tabs whether they are still signed in. */
export function askOthers() {
  channel.postMessage("check");
}

/** Call `work` when another tab asks. */
export function onAsked(work) {
  channel.onmessage = work;
}
