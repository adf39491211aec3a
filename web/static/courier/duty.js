// While a round is driven: where the vehicle is, kept on the phone until the server has it, and sent in batches.
// A position's number is its second since 2024, so that no two of a phone are alike and none is counted twice.
const duty = document.getElementById("duty");
const device = duty.dataset.device;
const KEY = `lpg-positions-${device}`;
const FIRST_SECOND = Date.UTC(2024, 0, 1) / 1000;
const APART_S = 15;
const SEND_MS = 20000;
const MOST_KEPT = 2000;
const AT_ONCE = 200;
let lastSecond = 0;
let sending = false;

function kept() {
  try {
    const read = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(read) ? read : [];
  } catch {
    return [];
  }
}

function keep(items) {
  localStorage.setItem(KEY, JSON.stringify(items.slice(-MOST_KEPT)));
}

function say(name) {
  duty.querySelector("[data-said]").textContent = name ? duty.dataset[name] : "";
}

function seen({ coords, timestamp }) {
  const second = Math.floor(timestamp / 1000) - FIRST_SECOND;
  const waiting = kept();
  const last = Math.max(lastSecond, waiting.length ? waiting[waiting.length - 1].seq : 0);
  if (second < 1 || (second < last + APART_S && second > last - 3600)) return;
  lastSecond = second;
  const point = { lon: Number(coords.longitude.toFixed(6)), lat: Number(coords.latitude.toFixed(6)), datum: "wgs84" };
  const accuracy_m = Math.min(Math.round(coords.accuracy), 100000);
  keep([...waiting, { seq: second, at: new Date(timestamp).toISOString(), point, accuracy_m }]);
  send();
}

async function send() {
  const batch = kept().slice(0, AT_ONCE);
  if (sending || !batch.length) return;
  sending = true;
  try {
    const answer = await fetch(`/courier/devices/${device}/positions`, {
      method: "POST",
      body: JSON.stringify({ items: batch }),
      headers: { "Content-Type": "application/json", "X-CSRFToken": duty.dataset.token, "Idempotency-Key": crypto.randomUUID() },
      credentials: "same-origin",
      redirect: "error",
      keepalive: true,
    });
    // what the server will never take is not sent for ever
    if (!answer.ok && answer.status !== 404 && answer.status !== 422) throw new Error(String(answer.status));
    const gone = new Set(batch.map((one) => one.seq));
    keep(kept().filter((one) => !gone.has(one.seq)));
    say(answer.ok ? "sent" : "");
  } catch {
    say("waiting");
  } finally {
    sending = false;
  }
}

if (navigator.geolocation) {
  const refused = (error) => error.code === error.PERMISSION_DENIED && say("denied");
  navigator.geolocation.watchPosition(seen, refused, { enableHighAccuracy: true, maximumAge: 10000, timeout: 60000 });
  setInterval(send, SEND_MS);
  addEventListener("online", send);
  send();
} else {
  say("denied");
}
