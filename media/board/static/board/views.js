import { batched } from "./batch.js";

/** As in the style sheet: from this width on, the views are side by side, each with its own scrolling. */
const WIDE = matchMedia("(min-width: 75rem)");

/** On a narrow screen, shows either the board or the notifications, with a count of unread ones. */
export class Views {
  #main;
  #nav;
  #unread = 0;
  #refresh = batched(() => this.#showUnread());

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
    this.#unread += 1;
    this.#refresh();
  }

  #setUnread(count) {
    this.#unread = count;
    this.#refresh();
  }

  #showUnread() {
    if (this.#main.dataset.view === "stream") this.#unread = 0;
    this.#nav.querySelector(".unread").hidden = this.#unread === 0;
    this.#nav.querySelector("[data-part=unread]").textContent = this.#unread > 99 ? "99+" : this.#unread;
  }
}
