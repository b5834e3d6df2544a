/** Asks before somebody signs out of the page who is still signed in to something. */
export class Leaving {
  #dialog;
  #list;
  #form = null;

  /** `statesToKeep` gives a text for each state in which the agent stays. */
  constructor(root, statesToKeep) {
    // Outside of the section, which may be hidden.
    this.#dialog = document.getElementById("own-leaving-question");
    this.#list = this.#dialog.querySelector("[data-part=kept]");
    document.addEventListener("submit", (event) => {
      if (event.target.getAttribute("action") !== root.dataset.signOutUrl) return;
      const kept = statesToKeep();
      if (!kept.length) return;
      event.preventDefault();
      this.#ask(event.target, kept);
    });
    this.#dialog.querySelector("[data-part=stay]").addEventListener("click", () => this.#dialog.close());
    // Not `requestSubmit`, which would ask again.
    this.#dialog.querySelector("[data-part=leave]").addEventListener("click", () => this.#form.submit());
  }

  #ask(form, kept) {
    this.#form = form;
    this.#list.replaceChildren(...kept.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    this.#dialog.showModal();
  }
}
