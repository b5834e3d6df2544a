/* Names for what Django's forms leave without one, so that screen readers can tell what it is. */

function nameAll() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const shown = select.parentElement.querySelector(".select2-selection [role=textbox]");
    if (label && shown && !shown.hasAttribute("aria-label")) {
      shown.setAttribute("aria-label", label.innerText);
    }
  }
  for (const box of document.querySelectorAll(".inline-group td.delete input")) {
    box.setAttribute("aria-label", "Delete this row");
  }
  for (const head of document.querySelectorAll(".inline-group th.original:empty")) {
    head.innerHTML = '<span class="visually-hidden">Row</span>';
  }
}

// Django's own scripts draw these fields later, and add rows.
new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
nameAll();
