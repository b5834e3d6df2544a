const channel = new BroadcastChannel("finesse-session");

/** Let viewers in other tabs check whether they are still signed in. */
export function checkOtherTabs() {
  channel.postMessage({ word: "check" });
}

/**
 * The session goes on, by another key perhaps, and `user` is signed in: viewers in other tabs begin again if
 * they took it for ended, or are another user's.
 */
export function beginAgainInOtherTabs(user = "") {
  channel.postMessage({ word: "begin again", user });
}

/** Call these when another tab says so. */
export function onWordOfOtherTabs({ check, beginAgain }) {
  channel.onmessage = ({ data }) => (data.word === "check" ? check() : beginAgain(data.user));
}
