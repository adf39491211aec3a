// What every page with a form does: put the focus on what was wrong, and send a form once.
const focused = document.querySelector("[data-focus]");
if (focused) focused.focus();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // what takes a moment says so, in words
  const waiting = form.parentElement.querySelector(".waiting");
  if (waiting) setTimeout(() => (waiting.hidden = !form.dataset.sent), 400);
  // a page taken back from the history can be sent again
  window.addEventListener("pageshow", () => {
    delete form.dataset.sent;
    if (waiting) waiting.hidden = true;
  }, { once: true });
});

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());

// "All pass" answers what every home has; what may not be there is left to be looked for.
for (const button of document.querySelectorAll("[data-all-pass]"))
  button.addEventListener("click", () => {
    for (const item of button.form.querySelectorAll(".checked-item"))
      if (!item.querySelector('[value="not_applicable"]')) item.querySelector('[value="pass"]').checked = true;
  });
