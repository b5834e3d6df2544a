/** More agents than these are asked about first, whatever it is. */
const HANDFUL = 5;
const VERBS = { READY: "Make", NOT_READY: "Make", ROUTABLE: "Make", NOT_ROUTABLE: "Make", LOGOUT: "Sign out", CORRECT_REASON: "Correct the reason of" };
const STATES = { READY: " ready", NOT_READY: " not ready", ROUTABLE: " routable", NOT_ROUTABLE: " not routable" };

/** Whether it hurts enough to ask first. */
export function isToBeConfirmed(act, agents) {
  return act === "LOGOUT" || agents > HANDFUL;
}

/** Ask in a dialog. Resolves to whether it is meant. */
export function confirmed(dialog, { act, whom, agents, isWhole }) {
  const subject = agents === 1 ? whom : `${agents.toLocaleString("en-GB")} agents`;
  const where = isWhole ? ", in every MRD and at the desktop" : "";
  dialog.querySelector("[data-part=question]").textContent = `${VERBS[act]} ${subject}${STATES[act] ?? ""}${where}?`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
