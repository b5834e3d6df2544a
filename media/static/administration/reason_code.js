/* The form of a reason code: a free number for each category, and the list as agents will get it. */

import { previewOf } from "./preview.js";

const form = document.querySelector("#reasoncode_form");
const preview = document.querySelector(".preview");

function suggest() {
  const code = form.querySelector("#id_code");
  const free = [...code.attributes].filter(({ name }) => name.startsWith("data-free-"));
  const isSuggestion = code.value === "" || free.some(({ value }) => value === code.value);
  const category = form.querySelector("[name=category]:checked");
  if (category && isSuggestion) {
    code.value = code.getAttribute(`data-free-${category.value}`) ?? code.value;
  }
}

function showTeams() {
  const everybody = form.querySelector("[name=for_all][value=on]");
  for (const box of form.querySelectorAll("[name=teams], [name=nobody]")) {
    box.disabled = Boolean(everybody?.checked);
  }
}

if (form?.querySelector("#id_code")) {
  form.addEventListener("change", (event) => {
    if (event.target.name === "category") {
      suggest();
    }
    if (event.target.type === "color") {
      form.querySelector("[name=colour_on]").checked = true;
    }
    showTeams();
  });
  showTeams();
}

if (preview && form) {
  const { show, showSoon } = previewOf(form, preview, "#preview");
  form.addEventListener("input", showSoon);
  preview.querySelector("select")?.addEventListener("change", showSoon);
  show();
}
