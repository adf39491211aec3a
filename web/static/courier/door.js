// At the door: all items passed at one touch, what is still missing said before it is sent, a signature drawn,
// a photograph's fingerprint. Without this script the same forms work, and say what is missing afterwards.

document.body.classList.add("scripted");

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(bytes) {
  return crypto.subtle ? hex(await crypto.subtle.digest("SHA-256", bytes)) : "";
}

// --- the check --------------------------------------------------------------------------------------------

const items = [...document.querySelectorAll("fieldset.item")];

const allPass = document.querySelector("[data-all-pass]");
if (allPass) {
  allPass.addEventListener("click", (event) => {
    event.preventDefault();
    for (const item of items) {
      if (item.querySelector("input[type=radio]:checked")) continue;
      const value = "must" in item.dataset ? "pass" : "not_applicable";
      item.querySelector(`input[value="${value}"]`).checked = true;
    }
    say();
  });
}

for (const box of document.querySelectorAll("[data-photo]")) {
  const [file, hash, status] = [box.querySelector("[type=file]"), box.querySelector("[type=hidden]"), box.querySelector("[role=status]")];
  file.addEventListener("change", async () => {
    hash.value = file.files.length ? await sha256(await file.files[0].arrayBuffer()) : "";
    status.textContent = hash.value ? "照片指纹已记下 fingerprint kept" : "";
    say();
  });
}

function missingOfCheck() {
  const open = items.filter((item) => "must" in item.dataset && !item.querySelector("input[type=radio]:checked"));
  const unmeasured = items.filter((item) => {
    const measure = item.querySelector(".measure input");
    return measure && !measure.value.trim();
  });
  if (open.length) return `还有 ${open.length} 项没查 · ${open.length} not looked at`;
  if (unmeasured.length) return `还有 ${unmeasured.length} 处没量 · ${unmeasured.length} not measured`;
  return "";
}

// --- the receipt ------------------------------------------------------------------------------------------

const receipt = document.getElementById("receipt");
const pad = document.querySelector("[data-sign]");
const strokes = [];

function proof() {
  const chosen = receipt.querySelector("input[name=proof]:checked");
  return chosen ? chosen.value : "";
}

const left = () => receipt.querySelector("input[name=left]:checked")?.value;

function missingOfReceipt() {
  if (left() && !receipt.drop_photo.value) return "还差放好的气瓶的照片 · the photograph is missing";
  if (left() && proof() !== "door_code") return "放在门口的只能凭签收码 · what is left needs the code";
  if (proof() === "door_code" && !/^\d{6}$/.test(receipt.code.value.replace(/\s/g, ""))) return "还差六位签收码 · the six digits are missing";
  if (proof() === "signature" && !receipt.signature.value) return "还差住户签名 · the signature is missing";
  return "";
}

function showChosen() {
  for (const part of receipt.querySelectorAll("[data-for]")) part.classList.toggle("chosen", part.dataset.for === proof());
}

if (pad) {
  const pen = pad.getContext("2d");
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [Math.round(((event.clientX - box.left) * pad.width) / box.width), Math.round(((event.clientY - box.top) * pad.height) / box.height)];
  };
  pen.lineWidth = 4;
  pen.lineCap = pen.lineJoin = "round";
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    strokes.push([at(event)]);
    pen.beginPath();
    pen.moveTo(...strokes.at(-1)[0]);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    strokes.at(-1).push(at(event));
    pen.lineTo(...strokes.at(-1).at(-1));
    pen.stroke();
  });
  pad.addEventListener("pointerup", async () => {
    receipt.signature.value = await sha256(new TextEncoder().encode(JSON.stringify(strokes)));
    say();
  });
  document.querySelector("[data-clear]").addEventListener("click", () => {
    strokes.length = 0;
    receipt.signature.value = "";
    pen.clearRect(0, 0, pad.width, pad.height);
    say();
  });
}

if (receipt) {
  receipt.addEventListener("change", showChosen);
  showChosen();
  if (!crypto.subtle) for (const part of document.querySelectorAll(".needs-script")) part.hidden = true;
}

// --- what is missing, said above the main button ----------------------------------------------------------

const missing = document.querySelector("[data-missing]");

function say() {
  if (!missing) return;
  const text = receipt ? missingOfReceipt() : missingOfCheck();
  if (missing.textContent !== text) missing.textContent = text;
  const main = missing.parentElement.querySelector("button.primary");
  main.disabled = Boolean(text);
}

if (missing) {
  missing.closest("form").addEventListener("input", say);
  missing.closest("form").addEventListener("change", say);
  say();
}

// --- where we stand, if the courier lets the page know ----------------------------------------------------

if (receipt && navigator.permissions && navigator.geolocation) {
  const allowed = await navigator.permissions.query({ name: "geolocation" }).catch(() => ({ state: "denied" }));
  if (allowed.state !== "denied") {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => ([receipt.lon.value, receipt.lat.value] = [coords.longitude.toFixed(6), coords.latitude.toFixed(6)]),
      () => {},
      { timeout: 10000, maximumAge: 30000 },
    );
  }
}
