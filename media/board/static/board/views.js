/** As in the style sheet: from this width on, the views are side by side, each with its own scrolling. */
const WIDE = matchMedia("(min-width: 60rem)");

/** On a narrow screen, shows either the board or the notifications, with a count of unread ones. */
export class Views {
  #main;
  #nav;
  #unread = 0;

  constructor(main, nav) {
    this.#main = main;
    this.#nav = nav;
    nav.addEventListener("click", ({ target }) => {
      const view = target.closest("[data-show]")?.dataset.show;
      if (view) this.show(view);
    });
    WIDE.addEventListener("change", () => this.#makeScrollable());
    this.#makeScrollable();
  }

  /** An element that scrolls must be reachable with the keyboard; any other would be a useless stop. */
  #makeScrollable() {
    for (const scroller of this.#main.querySelectorAll(".scroller")) scroller.tabIndex = WIDE.matches ? 0 : -1;
  }

  show(view) {
    this.#main.dataset.view = view;
    for (const button of this.#nav.children) button.setAttribute("aria-pressed", String(button.dataset.show === view));
    if (view === "stream") this.#setUnread(0);
    window.scrollTo(0, 0);
  }

  countNotification() {
    if (this.#main.dataset.view !== "stream") this.#setUnread(this.#unread + 1);
  }

  #setUnread(count) {
    this.#unread = count;
    this.#nav.querySelector(".unread").hidden = count === 0;
    this.#nav.querySelector("[data-part=unread]").textContent = count > 99 ? "99+" : count;
  }
}
