// The station's terminal. A form marked data-parts is sent by us, and its answer fills the screen.
//
// It fails closed. The moment a question leaves, the last verdict is gone; and only an answer that is ours
// (JSON, our own echo, a colour we know, and no reason against where it is green) is shown at all. All else,
// a late answer too, is grey: do not fill.

const station = document.getElementById("station");
const scan = document.getElementById("scan");
const input = scan && (scan.elements.code || scan.elements.codes);
const verdict = document.getElementById("verdict");
const work = document.getElementById("work");
const note = document.getElementById("scan-note");

const ASK_MS = 2000;
const WRITE_MS = 10000;
const TWICE_MS = 3000;
const WAIT_MS = 400;
const KEPT_ROWS = 20;
const STATES = ["idle", "allowed", "checking", "weighing", "refused", "filled", "received", "wrong", "mixed"];
const GREEN = ["allowed", "filled", "received"];

const desk = station.dataset.page === "desk";
const GREY = {
  away: ["网络不通", "the network is away", "看一下网线，再扫一次。", "Look at the network, then scan again."],
  late: ["超时没有答复", "no answer in time", "再扫一次；一直这样请叫管理员。", "Scan again; if it goes on, call your administrator."],
  ended: ["登录已结束", "you are signed out", "请重新登录。", "Sign in again."],
  broken: ["答复看不懂", "the answer cannot be read", "刷新页面再扫；还不行请叫管理员。", "Reload the page and scan again, or call your administrator."],
  mangled: ["中文输入法打乱了扫码", "the input method mangled the scan", "按 Shift 切到英文，再扫一次。", "Switch to English (Shift), then scan again."],
};
const KEPT = ["不知道记上没有。表单还在，网络好了再按一次，不会记两次。", "It may or may not be recorded. The form is still here: send it again, it is never recorded twice."];

let sent = 0; // which question is the last one; an answer to an earlier one is not shown
let last = { text: "", at: -TWICE_MS, unsure: false }; // unsure: sent, and nobody knows what became of it

// --- what is shown ---------------------------------------------------------------------------------------

function paint(state, html) {
  verdict.className = `verdict ${state}${station.dataset.page === "batch" ? " short" : ""}`;
  if (html !== undefined) verdict.innerHTML = html;
}

function both(element, zh, text) {
  const english = document.createElement("span");
  english.lang = "en";
  english.textContent = text;
  element.replaceChildren(`${zh} `, english);
}

function grey(why, keptForm) {
  const [zh, text, cure, cureEn] = GREY[why];
  const shown = document.getElementById("grey").content.cloneNode(true);
  const asked = desk || station.dataset.page === "batch";
  const head = keptForm || !asked ? ["没有记上", "Not recorded"] : ["查不到", "No verdict"];
  const not = asked && !keptForm ? ["不要充装", "do not fill"] : ["", ""];
  both(
    shown.querySelector("[data-head]"),
    [head[0], zh, not[0]].filter(Boolean).join(" · "),
    [head[1], text, not[1]].filter(Boolean).join(" · "),
  );
  const unsure = keptForm && why !== "ended" && why !== "mangled";
  both(shown.querySelector("[data-why]"), unsure ? KEPT[0] : cure, unsure ? KEPT[1] : cureEn);
  const link = shown.querySelector("[data-cure]");
  if (why === "ended") {
    const to = document.createElement("a");
    to.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
    both(to, "去登录", "Sign in");
    link.replaceChildren(to);
  } else {
    link.remove();
  }
  verdict.replaceChildren(shown);
  paint("grey");
  tone("grey");
}

function waiting(mine) {
  verdict.replaceChildren();
  paint("waiting");
  setTimeout(() => {
    if (mine !== sent || !verdict.classList.contains("waiting")) return;
    const says = document.createElement("h1");
    both(says, "正在查…不要充装", "Asking… do not fill");
    verdict.replaceChildren(says);
  }, WAIT_MS);
}

function say(zh, text) {
  if (zh) both(note, zh, text);
  else note.replaceChildren();
}

// --- asking ----------------------------------------------------------------------------------------------

function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isOurs(answer, key) {
  return (
    answer !== null &&
    typeof answer === "object" &&
    answer.echo === key &&
    STATES.includes(answer.state) &&
    typeof answer.verdict === "string" &&
    typeof answer.work === "string" &&
    Number.isInteger(answer.reasons) &&
    (GREEN.includes(answer.state) ? answer.reasons === 0 : true)
  );
}

// The answer, or the word for why there is none.
async function asked(form, patience) {
  const key = form.elements.form_key.value;
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrf_token.value },
      redirect: "manual",
      cache: "no-store",
      signal: giveUp.signal,
    });
    if (answer.type === "opaqueredirect") return "ended";
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return "broken";
    if (![200, 409, 422].includes(answer.status)) return "broken";
    const read = await answer.json();
    return isOurs(read, key) ? read : "broken";
  } catch (error) {
    if (giveUp.signal.aborted) return "late";
    return error instanceof SyntaxError ? "broken" : "away";
  } finally {
    clearTimeout(timer);
  }
}

async function send(form) {
  const begun = performance.now();
  const isScan = form === scan;
  const isAsk = isScan && station.dataset.page !== "receive";
  if (form.dataset.sent) return;
  sent += 1;
  const mine = sent;
  if (!isScan) form.dataset.sent = "yes";
  const sending = asked(form, isAsk ? ASK_MS : WRITE_MS);
  if (isScan) {
    work.replaceChildren();
    if (scan.elements.code) input.value = "";
  }
  waiting(mine);
  say();
  const answer = await sending;
  delete form.dataset.sent;
  if (mine !== sent) return;
  if (typeof answer === "string") {
    last = { ...last, at: -TWICE_MS, unsure: isScan };
    grey(answer, !isScan);
    if (isScan) input.focus();
    return;
  }
  last.unsure = false;
  paint(answer.state, answer.verdict);
  work.innerHTML = answer.work;
  furnish();
  tone(answer.state);
  if (isScan && scan.elements.codes && answer.state === "mixed") input.value = "";
  if (isScan) input.focus();
  else (work.querySelector('[aria-invalid="true"], .wrong') || firstOpen() || input).focus();
  if (answer.row && isAsk) addRow(answer.row, begun);
}

// --- the last twenty, with the time each took here -----------------------------------------------------

function took() {
  try {
    return JSON.parse(sessionStorage.getItem("took") || "{}");
  } catch {
    return {};
  }
}

function addRow(html, begun) {
  const rows = document.getElementById("rows");
  if (!rows) return;
  document.getElementById("no-rows")?.remove();
  rows.insertAdjacentHTML("afterbegin", html);
  while (rows.children.length > KEPT_ROWS) rows.lastElementChild.remove();
  const row = rows.firstElementChild;
  // two frames on, the verdict is on the glass
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const ms = Math.round(performance.now() - begun);
      const kept = Object.entries({ ...took(), [row.dataset.ask]: ms }).slice(-KEPT_ROWS);
      sessionStorage.setItem("took", JSON.stringify(Object.fromEntries(kept)));
      row.querySelector("[data-took]").textContent = `${ms} ms`;
      verdict.dataset.tookMs = ms;
    }),
  );
}

function fillInTook() {
  const kept = took();
  for (const row of document.querySelectorAll("#rows tr")) {
    const ms = kept[row.dataset.ask];
    if (Number.isInteger(ms)) row.querySelector("[data-took]").textContent = `${ms} ms`;
  }
}

// --- the gun ----------------------------------------------------------------------------------------------

// What has begun is ended before the next: recorded, or left.
function isDirty() {
  const form = work.querySelector("form.weigh");
  if (!form) return false;
  if ("begun" in form.dataset) return true;
  return Array.from(form.querySelectorAll("input:not([type=hidden])")).some((one) => one.value !== "");
}

function scanned(text) {
  const now = performance.now();
  if (text === last.text && now - last.at < TWICE_MS) {
    input.value = "";
    say("同一个码，刚扫过。", "The same code again: ignored.");
    return;
  }
  if (desk && isDirty()) {
    input.value = "";
    say("这一瓶还没记完：先记录充装，或按「放弃这瓶」。", "Record this filling first, or leave it.");
    return;
  }
  if (station.dataset.page === "receive" && verdict.classList.contains("waiting")) {
    input.value = "";
    say("上一只还在记，请再扫这一只。", "The last one is being recorded: scan this one again.");
    return;
  }
  // the same scan again after no answer carries the same key: it is never recorded twice
  if (!(last.unsure && text === last.text)) scan.elements.form_key.value = freshKey();
  last = { text, at: now, unsure: false };
  input.value = text;
  send(scan);
}

// A gun shoots wherever the focus is: what is no weight was a scan.
function isStrayScan(field) {
  return field.closest("form.weigh") && field.inputMode === "decimal" && !/^[0-9.]{0,8}$/.test(field.value);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-parts]")) return;
  event.preventDefault();
  if (form === scan && scan.elements.code) {
    scanned(input.value);
    return;
  }
  if (form === scan) form.elements.form_key.value = freshKey();
  send(form);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "F2") {
    event.preventDefault();
    location.assign(station.dataset.page === "batch" ? "/station/" : "/station/batch");
    return;
  }
  if (!input || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const here = event.target;
  if (event.key === "Enter" && here.matches?.("form.weigh input:not([type=radio])")) {
    event.preventDefault();
    if (isStrayScan(here)) {
      const text = here.value;
      here.value = "";
      input.focus();
      scanned(text);
    } else {
      next(here);
    }
    return;
  }
  if (event.key === "Enter" && here === input && !input.value && work.querySelector("form.weigh")) {
    event.preventDefault();
    firstOpen().focus();
    return;
  }
  if (event.key === "Enter" && here.matches?.('input[type="radio"]')) {
    event.preventDefault(); // a gun shoots here too: its Enter sends no form
    next(here);
    return;
  }
  const types = here.matches?.('input:not([type="radio"]), select, textarea');
  if (event.key.length === 1 && event.key !== " " && !types) input.focus();
});

function next(field) {
  const form = field.form;
  const all = Array.from(form.querySelectorAll("input:not([type=hidden]), select, button.primary"));
  const after = all.slice(all.indexOf(field) + 1);
  const to = after.find((one) => one.type !== "radio" || !isAnswered(form, one.name)) || form.querySelector("button.primary");
  to.focus();
}

// Where the operator goes on: the first field without an answer, else the button.
function firstOpen() {
  const form = work.querySelector("form.weigh");
  if (!form) return null;
  const fields = Array.from(form.querySelectorAll("input:not([type=hidden]), select"));
  const open = fields.find((one) => (one.type === "radio" ? !isAnswered(form, one.name) : one.value === ""));
  return open || form.querySelector("button.primary");
}

function isAnswered(form, name) {
  return form.elements[name].value !== "";
}

function onComposition() {
  // an input method has the keys: what it makes of a scan is no code
  input.value = "";
  input.blur();
  last.at = -TWICE_MS;
  sent += 1;
  work.replaceChildren();
  grey("mangled");
  input.focus();
}

if (input) {
  if (scan.elements.code) input.addEventListener("compositionend", () => setTimeout(onComposition, 0));
  input.addEventListener("input", () => say());
}

// --- what the script adds to the page ---------------------------------------------------------------------

function furnish() {
  for (const one of work.querySelectorAll("[data-all-pass], [data-leave]")) one.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches("[data-all-pass]")) {
    for (const one of work.querySelectorAll('input[type="radio"][value="pass"]')) one.checked = true;
    (Array.from(work.querySelectorAll("form.weigh input")).find((one) => !one.value) || work.querySelector("button.primary")).focus();
  } else if (button.matches("[data-leave]")) {
    work.replaceChildren();
    verdict.replaceChildren();
    paint("idle");
    both(verdict.appendChild(document.createElement("h1")), "已放弃，请扫码", "Left. Scan a cylinder");
    last.at = -TWICE_MS;
    input.focus();
  } else if (button.matches("[data-by-hand]")) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    input.inputMode = on ? "text" : "none";
    input.focus();
  } else if (button.matches("[data-tone]")) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    localStorage.setItem("tone", on ? "on" : "off");
    if (on) tone("allowed");
    input.focus();
  }
});

// High once for yes, low twice for no, long and low for grey.
const TONES = { green: [[880, 0, 0.15]], red: [[220, 0, 0.18], [220, 0.26, 0.18]], grey: [[150, 0, 0.7]] };
let speaker;

function tone(state) {
  if (localStorage.getItem("tone") !== "on") return;
  speaker ||= new AudioContext();
  const kind = GREEN.includes(state) ? "green" : state === "refused" ? "red" : "grey";
  for (const [pitch, from, long] of TONES[kind]) {
    const voice = new OscillatorNode(speaker, { frequency: pitch, type: "square" });
    voice.connect(new GainNode(speaker, { gain: 0.1 })).connect(speaker.destination);
    voice.start(speaker.currentTime + from);
    voice.stop(speaker.currentTime + from + long);
  }
}

const toolsRow = document.querySelector("[data-tools]");
if (toolsRow) {
  toolsRow.hidden = false;
  toolsRow.querySelector("[data-tone]").setAttribute("aria-pressed", localStorage.getItem("tone") === "on");
}
if (work) furnish();
fillInTook();
if (input) input.focus();
