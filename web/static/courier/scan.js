// Reads a code by the camera into the field beside it: the browser's own reader where it knows QR codes,
// else the vendored one. A photograph of the code goes the same way; typing is always there.

const READER = "/static/vendor/zxing-wasm-3.1.4/";
const AGAIN_MS = 3000;
const HINT_MS = 4000;
const ON = "scanning";

let reading = null;

function element(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function both(zh, en) {
  return [zh + " ", element("span", { lang: "en", class: "en" }, en)];
}

async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await window.BarcodeDetector.getSupportedFormats();
  if (!formats.includes("qr_code")) return null;
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async (source) => (await detector.detect(source)).map((one) => one.rawValue)[0] || null;
}

function script(address) {
  return new Promise((resolve, reject) => {
    const made = element("script", { src: address });
    made.onload = resolve;
    made.onerror = () => reject(new Error(address));
    document.head.append(made);
  });
}

async function vendoredReader() {
  if (!window.ZXingWASM) await script(READER + "reader.js");
  const { prepareZXingModule, readBarcodes } = window.ZXingWASM;
  prepareZXingModule({ overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? READER + path : prefix + path) } });
  const canvas = document.createElement("canvas");
  const options = { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 };
  return async (source) => {
    canvas.width = source.videoWidth || source.width;
    canvas.height = source.videoHeight || source.height;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(source, 0, 0);
    const found = await readBarcodes(pen.getImageData(0, 0, canvas.width, canvas.height), options);
    return found.length && found[0].isValid ? found[0].text : null;
  };
}

function reader() {
  reading ||= ownReader().catch(() => null).then((own) => own || vendoredReader());
  return reading;
}

function readJustNow(text) {
  const last = JSON.parse(sessionStorage.getItem("scanned") || "{}");
  return last.text === text && Date.now() - last.at < AGAIN_MS;
}

function take(field, text) {
  sessionStorage.setItem("scanned", JSON.stringify({ text, at: Date.now() }));
  const input = field.querySelector("input");
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (navigator.vibrate && navigator.userActivation && navigator.userActivation.hasBeenActive) navigator.vibrate(60);
  if (field.dataset.scan === "submit") {
    sessionStorage.setItem(ON, location.pathname);
    input.form.requestSubmit();
  } else {
    input.focus();
  }
}

async function open(field) {
  const said = element("p", { role: "status" }, ...both("正在打开相机…", "opening the camera…"));
  const video = element("video", { playsinline: "", "aria-label": "相机画面 Camera" });
  video.muted = true;
  const torch = element("button", { type: "button", hidden: "" }, ...both("手电筒", "Torch"));
  const photo = element("input", { type: "file", accept: "image/*", capture: "environment", "aria-label": "拍下码 Photograph of the code" });
  const typed = element("button", { type: "button" }, ...both("手输编码", "Type it"));
  const dialog = element(
    "dialog",
    { class: "scanner", "aria-label": "扫码 Scan" },
    element("h2", {}, ...both("对准码", "Point at the code")),
    video,
    said,
    element("div", { class: "buttons" }, torch, element("label", { class: "button" }, ...both("拍照识别", "Photograph"), photo), typed),
  );
  document.body.append(dialog);
  dialog.showModal();

  let stream = null;
  let on = true;
  const say = (zh, en) => said.replaceChildren(...both(zh, en));
  const close = () => {
    on = false;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    dialog.remove();
  };
  const found = (text) => {
    close();
    take(field, text);
  };
  dialog.addEventListener("cancel", () => {
    sessionStorage.removeItem(ON);
    close();
    field.querySelector(".scan-with").focus();
  });
  typed.addEventListener("click", () => {
    sessionStorage.removeItem(ON);
    close();
    field.querySelector("input").focus();
  });
  photo.addEventListener("change", async () => {
    if (!photo.files.length) return;
    const text = await (await reader())(await createImageBitmap(photo.files[0])).catch(() => null);
    if (text) found(text);
    else say("照片里认不出码，靠近再拍", "no code in that photograph: go closer");
  });

  if (!navigator.mediaDevices) {
    say("这里不能用相机（要用 https）。请拍照或手输", "no camera here (https is needed): photograph or type it");
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" } } });
  } catch {
    say("相机没有打开：在浏览器设置里允许相机，或拍照、手输", "the camera did not open: allow it in the settings, or type the code");
    return;
  }
  if (!on) {
    stream.getTracks().forEach((track) => track.stop());
    return;
  }
  video.srcObject = stream;
  await video.play();
  const track = stream.getVideoTracks()[0];
  if (track.getCapabilities && track.getCapabilities().torch) {
    let lit = false;
    torch.hidden = false;
    torch.addEventListener("click", () => track.applyConstraints({ advanced: [{ torch: (lit = !lit) }] }));
  }
  say("把码放进框里", "hold the code in the frame");
  setTimeout(() => on && say("擦一下码，靠近到 15 厘米", "wipe the code, go as near as 15 cm"), HINT_MS);
  const read = await reader();
  while (on) {
    await new Promise((next) => requestAnimationFrame(next));
    if (!on || !video.videoWidth) continue;
    const text = await read(video).catch(() => null);
    if (on && text && !readJustNow(text)) found(text);
  }
}

for (const field of document.querySelectorAll("[data-scan]")) {
  const button = element("button", { type: "button", class: "scan-with" }, ...both("相机扫码", "Scan with the camera"));
  button.addEventListener("click", () => open(field));
  field.append(button);
}

// one scan after another (loading, bringing back): the camera opens again, unless something has to be read
const next = document.querySelector('[data-scan="submit"]');
if (next && sessionStorage.getItem(ON) === location.pathname && !document.querySelector("[data-focus]")) open(next);
else if (document.querySelector("[data-focus]") || !next) sessionStorage.removeItem(ON);
