// The dispatcher's map (Leaflet, over tiles where some are configured) and what to say when the board cannot be looked at again.
const COLOURS = ["#0b5d57", "#8a3a00", "#3a3f9e", "#8c1d5a", "#4a5b00", "#005a8c", "#6b2fa0", "#7a1616"];

function markerOf(stop) {
  const kind = stop.done ? "finished" : stop.late ? "late" : stop.hue === null ? "none" : `h${stop.hue}`;
  const icon = L.divIcon({ className: `stop ${kind}`, html: "", iconSize: [26, 26] });
  const marker = L.marker([stop.lat, stop.lon], { icon, keyboard: false, interactive: false });
  marker.on("add", () => {
    marker.getElement().textContent = stop.label;
  });
  return marker;
}

// a zone of today under a draft is a dashed line; a drafted one has its colour
function styleOf(zone) {
  if (zone.before) return { color: "#545b59", weight: 2, dashArray: "6 6", fill: false };
  if (zone.hue === undefined) return { color: "#16211f", weight: 2, fillColor: "#ffffff", fillOpacity: 0.7 };
  return { color: COLOURS[zone.hue], weight: 2, fillColor: COLOURS[zone.hue], fillOpacity: 0.15 };
}

function draw(element) {
  const data = JSON.parse(document.getElementById(element.dataset.map).textContent);
  const map = L.map(element, { preferCanvas: true, attributionControl: false, zoomSnap: 0.25 });
  if (data.tiles) {
    for (const url of data.tiles.urls) L.tileLayer(url, { maxZoom: 18 }).addTo(map);
    if (data.tiles.attribution) L.control.attribution({ prefix: false }).addAttribution(data.tiles.attribution).addTo(map);
  }
  const all = L.featureGroup();
  for (const zone of data.zones) {
    L.geoJSON(zone.outline, { style: styleOf(zone) }).addTo(all);
  }
  for (const line of data.lines) {
    if (line.points.length > 1) L.polyline(line.points, { color: COLOURS[line.hue], weight: 3 }).addTo(all);
  }
  for (const stop of data.stops) markerOf(stop).addTo(all);
  for (const zone of data.zones) {
    if (zone.before) continue;
    const middle = L.geoJSON(zone.outline).getBounds();
    const name = L.divIcon({ className: "zone-name", html: "", iconSize: null });
    const marker = L.marker([middle.getNorth(), middle.getCenter().lng], { icon: name, keyboard: false, interactive: false });
    marker.on("add", () => {
      marker.getElement().textContent = `${zone.number} ${zone.name}`;
    });
    marker.addTo(all);
  }
  all.addTo(map);
  // a plan is looked at door by door, a day zone by zone
  const doors = L.latLngBounds(data.stops.map((stop) => [stop.lat, stop.lon]));
  const whole = data.lines.length && doors.isValid() ? doors.pad(0.15) : all.getBounds();
  if (whole.isValid()) map.fitBounds(whole, { padding: [16, 16], animate: false, maxZoom: 16 });
  else map.setView([31.2, 121.4], 12);
  L.control.scale({ imperial: false }).addTo(map);
  return map;
}

let vehicles = null;

// the vehicles on the road: their plates, as the board last said where they were
function placeVehicles(map) {
  const said = document.getElementById("vehicles-data");
  if (!said) return;
  if (vehicles) vehicles.remove();
  vehicles = L.featureGroup();
  for (const one of JSON.parse(said.textContent)) {
    const icon = L.divIcon({ className: one.old ? "vehicle old" : "vehicle", html: "", iconSize: null });
    const marker = L.marker([one.lat, one.lon], { icon, keyboard: false, interactive: false, zIndexOffset: 1000 });
    marker.on("add", () => {
      marker.getElement().textContent = one.plate;
    });
    marker.addTo(vehicles);
  }
  vehicles.addTo(map);
}

const place = document.querySelector("[data-map]");
if (place && window.L) {
  const map = draw(place);
  placeVehicles(map);
  document.addEventListener("htmx:afterSwap", () => placeVehicles(map));
}

// A short tone, once for each new alarm, from when somebody has asked for it: no browser sounds before that.
const sound = document.getElementById("sound");
let tones = null;
const heard = new Set();

function newAlarms() {
  const said = document.getElementById("open-alarms");
  const fresh = said ? said.dataset.alarms.split(" ").filter((one) => one && !heard.has(one)) : [];
  for (const one of fresh) heard.add(one);
  return fresh;
}

function sayShortly() {
  const tone = tones.createOscillator();
  const loudness = tones.createGain();
  loudness.gain.setValueAtTime(0.2, tones.currentTime);
  loudness.gain.exponentialRampToValueAtTime(0.001, tones.currentTime + 0.4);
  tone.frequency.value = 880;
  tone.connect(loudness).connect(tones.destination);
  tone.start();
  tone.stop(tones.currentTime + 0.4);
}

if (sound && window.AudioContext) {
  sound.hidden = false;
  sound.addEventListener("click", () => {
    if (tones) tones.close();
    tones = tones ? null : new AudioContext();
    for (const word of sound.children) word.hidden = !word.hidden;
  });
  newAlarms();
  document.addEventListener("htmx:afterSwap", () => {
    if (newAlarms().length && tones) sayShortly();
  });
}

// nobody looks or listens: nothing is asked
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && !tones) event.preventDefault();
});

for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, () => {
    const fresh = document.getElementById("fresh");
    if (fresh) fresh.textContent = "连不上，下面是刚才的情况；连上后会自己刷新。 Not reachable: this is how it stood; it refreshes by itself.";
  });
}
