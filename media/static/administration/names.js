/* Names for what Django's forms leave without one, so that screen readers can tell what it is. */

function nameAll() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const shown = select.parentElement.querySelector(".select2-selection");
    if (label && shown) {
      label.id ||= `${select.id}_label`;
      shown.setAttribute("aria-labelledby", `${label.id} ${shown.getAttribute("aria-labelledby")}`);
      shown.querySelector("[role=textbox]")?.setAttribute("aria-label", label.innerText);
    }
  }
  for (const box of document.querySelectorAll(".inline-group td.delete input")) {
    box.setAttribute("aria-label", "Delete this row");
  }
  for (const head of document.querySelectorAll(".inline-group th.original:empty")) {
    head.innerHTML = '<span class="visually-hidden">Row</span>';
  }
}

// After Django's own scripts, which draw these fields.
addEventListener("load", nameAll);
