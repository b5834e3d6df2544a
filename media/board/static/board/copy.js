/** Copy an element's text. Where a page may not do that, it is left selected, and the answer is false. */
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
