// Refuses a file that is too large before it is sent.

const form = document.querySelector("form.upload");
const field = form?.querySelector("input[type=file]");
const problem = document.getElementById("too-large");

function refuseTooLarge() {
  const [file] = field.files;
  const isTooLarge = Boolean(file) && file.size > Number(field.dataset.mostBytes);
  problem.hidden = !isTooLarge;
  problem.textContent = isTooLarge
    ? `${file.name} is too large: ${field.dataset.most} are the most. Nothing was sent.`
    : "";
  return isTooLarge;
}

if (field) {
  field.addEventListener("change", refuseTooLarge);
  form.addEventListener("submit", (event) => {
    if (refuseTooLarge()) {
      event.preventDefault();
    }
  });
}
