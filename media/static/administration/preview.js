/* What stands beside a form: drawn anew by the server from what the form says, unsaved. */

const PAUSE_MS = 250;

/**
 * A function that draws it at once, and one that does so when the typing pauses.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement} preview with the address in `data-url`
 * @param {string} target selector of the part that is drawn
 */
export function previewOf(form, preview, target) {
  let waiting;
  let latest = 0;

  async function show() {
    const turn = ++latest;
    const answer = await fetch(preview.dataset.url, { method: "POST", body: new FormData(form) });
    const text = await answer.text();
    if (answer.ok && turn === latest) {
      const drawn = new DOMParser().parseFromString(text, "text/html");
      preview.querySelector(target).replaceChildren(...drawn.body.childNodes);
    }
  }

  function showSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE_MS);
  }

  // Without scripts the button draws it.
  preview.querySelector("button").hidden = true;
  return { show, showSoon };
}
