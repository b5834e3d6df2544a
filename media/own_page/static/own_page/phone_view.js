/**
 * On a narrow screen one's own states are a view of their own, beside the board and the stream.
 *
 * The viewer's style sheet decides which screens are narrow: there it shows the choice of views.
 */
export class PhoneView {
  #nav = document.getElementById("views");
  #button = document.createElement("button");
  #isChosen;

  constructor(root) {
    this.#isChosen = root.dataset.role === "agent";
    if (!this.#nav) return;
    Object.assign(this.#button, { type: "button", textContent: "My states" });
    this.#button.dataset.testid = "show-own";
    this.#button.addEventListener("click", () => this.#choose(true));
    this.#nav.prepend(this.#button);
    // Whatever shows another view, by a click or by the keyboard, hides this one.
    const views = document.getElementById("viewer");
    new MutationObserver(() => this.#choose(false)).observe(views, { attributeFilter: ["data-view"] });
    root.addEventListener("own-page-shown", () => (this.#button.hidden = root.hidden));
    addEventListener("resize", () => this.#place());
    this.#press(this.#isChosen);
    this.#place();
  }

  #choose(isChosen) {
    this.#isChosen = isChosen;
    this.#press(isChosen);
    this.#place();
    if (isChosen) window.scrollTo(0, 0);
  }

  #press(isChosen) {
    if (isChosen) for (const button of this.#nav.children) button.setAttribute("aria-pressed", "false");
    this.#button.setAttribute("aria-pressed", String(isChosen));
  }

  /** own_page.css knows where it stands by this. */
  #place() {
    const isNarrow = getComputedStyle(this.#nav).display !== "none";
    document.body.dataset.own = !isNarrow ? "beside" : this.#isChosen ? "shown" : "hidden";
  }
}
