/** Buttons with data-copy="<id>" copy the text of that element. */
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[data-copied]");
    said.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C to copy";
  });
}

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Without TLS browsers give no clipboard, but most still obey the old command.
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
