/* The form of a reason code: a free number for each category, and the list as agents will get it. */

const form = document.querySelector("#reasoncode_form");
const preview = document.querySelector(".preview");
const PAUSE_MS = 250;

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

let waiting;
let latest = 0;

async function show() {
  const turn = ++latest;
  const answer = await fetch(preview.dataset.url, { method: "POST", body: new FormData(form) });
  const text = await answer.text();
  if (answer.ok && turn === latest) {
    const drawn = new DOMParser().parseFromString(text, "text/html");
    preview.querySelector("#preview").replaceChildren(...drawn.body.childNodes);
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
  preview.querySelector("button").hidden = true;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE_MS);
  };
  form.addEventListener("input", later);
  preview.querySelector("select")?.addEventListener("change", later);
  show();
}
