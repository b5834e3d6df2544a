// Sends each form of the page once. Where an answer takes long people press again, and the second request
// would come with a token or a password that is used up.

/** Whoever has stopped the sending may send again after this. */
const LONGEST_WAIT_MS = 30_000;

const sent = new Map();

for (const form of document.querySelectorAll("form[method=post]:not([data-stays])")) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    // After the form has been read: a disabled button would not be sent.
    setTimeout(() => {
      if (event.defaultPrevented || !button) return;
      sent.set(button, button.textContent);
      button.disabled = true;
      button.textContent = "One moment …";
      setTimeout(allowAgain, LONGEST_WAIT_MS);
    });
  });
}

function allowAgain() {
  for (const [button, text] of sent) {
    button.disabled = false;
    button.textContent = text;
  }
  sent.clear();
}

// A page that comes back from the history has its buttons again.
window.addEventListener("pageshow", allowAgain);
