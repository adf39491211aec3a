// Drag a door before another one, to the end of a trip, or to a new trip: what it would do is shown first.
// The link beside each door leads to the same answer without dragging.
const board = document.querySelector("[data-move]");
const box = document.getElementById("verdict");
let carried = null;

function places() {
  return board.querySelectorAll("[data-place]");
}

function over(event) {
  const target = event.target.closest("[data-place]");
  if (!carried || !target || target === carried) return null;
  return target;
}

async function ask(orderId, place) {
  const asked = new URLSearchParams({ order_id: orderId, place });
  if (board.dataset.version) asked.set("version", board.dataset.version);
  const address = `${board.dataset.move}?${asked}`;
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html").body);
  } catch {
    location.assign(address); // the page itself says what is wrong
  }
}

function show(body) {
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "不改了 Leave it";
  close.addEventListener("click", () => box.close());
  box.replaceChildren(...body.childNodes, close);
  box.showModal();
}

if (board && box) {
  board.addEventListener("dragstart", (event) => {
    carried = event.target.closest("[data-order]");
    if (!carried) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", carried.dataset.order);
    carried.classList.add("carried");
    board.classList.add("carrying");
  });
  board.addEventListener("dragover", (event) => {
    const target = over(event);
    for (const place of places()) place.classList.toggle("over", place === target);
    if (target) event.preventDefault();
  });
  board.addEventListener("drop", (event) => {
    const target = over(event);
    if (!target) return;
    event.preventDefault();
    ask(carried.dataset.order, target.dataset.place);
  });
  board.addEventListener("dragend", () => {
    if (carried) carried.classList.remove("carried");
    board.classList.remove("carrying");
    for (const place of places()) place.classList.remove("over");
    carried = null;
  });
}
