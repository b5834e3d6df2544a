/** Copy an element's text. Returns false when the browser refuses; the text is then left selected. */
export async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Without TLS browsers give no clipboard, but most still obey the old command.
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
