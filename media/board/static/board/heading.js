/** How many rows there are and how many of them are shown, and what stands there instead of none. */
export class Heading {
  #root;

  constructor(root) {
    this.#root = root;
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  show({ shown, total, isLoaded, filter, rows }) {
    const unit = rows === "mrds" ? "row" : "agent";
    const word = total === 1 ? unit : `${unit}s`;
    const all = total.toLocaleString("en-GB");
    const count = shown === total ? `${all} ${word}` : `${shown.toLocaleString("en-GB")} of ${all} ${word}`;
    setText(this.#find("#board-count"), count);
    this.#find("#board-loading").hidden = isLoaded;
    this.#find("#board-empty").hidden = !isLoaded || total > 0;
    this.#find("#board-no-match").hidden = total === 0 || shown > 0;
    this.#find("table").hidden = total === 0;
    if (total > 0 && shown === 0) setText(this.#find("#no-match-text"), noMatchText(filter));
  }
}

function noMatchText({ text }) {
  const typed = text.trim();
  return typed ? `Nothing that is chosen matches “${typed}”.` : "No agent is in what is chosen.";
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
