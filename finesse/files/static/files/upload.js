// Refuses a file that is too large before it is sent, and sends a form once only.

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

for (const each of document.querySelectorAll(".files form[method=post]:not([data-stays])")) {
  each.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button) {
      return;
    }
    // After the form has been read: a disabled button would not be sent.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = "One moment …";
    });
  });
}

// A page that comes back from the history has its buttons again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});
