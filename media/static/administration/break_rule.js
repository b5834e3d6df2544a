/* The form of a break rule: only the fields that mean something, and the rule in one sentence. */

import { previewOf } from "./preview.js";

const form = document.querySelector("#breakrule_form");
const preview = document.querySelector(".preview");

function showFields() {
  const then = form.querySelector("#id_then").value;
  form.querySelector(".field-then_reason_code").hidden = then !== "not_ready";
  form.querySelector(".field-then_after").hidden = then === "nothing";
  form.querySelector(".field-when_full").hidden = form.querySelector("#id_most_at_once").value.trim() === "";
  form.querySelector(".field-time_zone").hidden = form.querySelector("#id_budget_minutes").value.trim() === "";
}

if (preview && form) {
  const { show, showSoon } = previewOf(form, preview, "#says");
  form.addEventListener("input", () => {
    showFields();
    showSoon();
  });
  showFields();
  show();
}
