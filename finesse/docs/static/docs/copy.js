import { copyText } from "../board/copy.js";

const SHOWN_FOR = 2000;

for (const button of document.querySelectorAll("[data-action=copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await copyText(button.parentElement.querySelector("pre"));
    button.textContent = copied ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), SHOWN_FOR);
  });
}
