// Zones drawn on a map. What is drawn stands in the form, a corner a line: the map reads those lines and writes
// them, and nothing else is sent. A corner that nobody moves keeps its line as it was.
(() => {
  const place = document.getElementById("drawing");
  if (!place || !window.L) return;
  document.getElementById("drawing-tools").hidden = false;
  const data = JSON.parse(document.getElementById("drawing-data").textContent);
  const map = L.map(place, { attributionControl: false, zoomSnap: 0.25, doubleClickZoom: false });
  if (data.tiles) {
    for (const url of data.tiles.urls) L.tileLayer(url, { maxZoom: 18 }).addTo(map);
    if (data.tiles.attribution) L.control.attribution({ prefix: false }).addAttribution(data.tiles.attribution).addTo(map);
  }
  const today = L.featureGroup().addTo(map);
  for (const zone of data.zones) L.geoJSON(zone.outline, { style: styleOf({ before: true }), interactive: false }).addTo(today);

  const blocks = [...document.querySelectorAll("[data-zone]")]
    .filter((block) => block.querySelector("textarea"))
    .map((block) => ({ block, hue: Number(block.dataset.zone), lines: block.querySelector("textarea") }));
  const blank = blocks.at(-1);
  const said = document.getElementById("drawing-said");
  const together = document.getElementById("together");
  const tool = Object.fromEntries([...document.querySelectorAll("[data-draw]")].map((one) => [one.dataset.draw, one]));
  const drawn = L.layerGroup().addTo(map);
  const SNAP_PX = 10;
  const past = [];
  let chosen = null;
  let corner = null;
  let isNew = false;

  const LINE = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,;，\s]\s*(-?\d{1,2}(?:\.\d+)?)\s*$/;

  function ringOf(one) {
    const ring = [];
    for (const line of one.lines.value.split("\n")) {
      const read = LINE.exec(line);
      if (read) ring.push({ text: line.trim(), lon: Number(read[1]), lat: Number(read[2]) });
    }
    return ring;
  }

  function write(one, ring) {
    one.lines.value = ring.map((at) => at.text).join("\n");
  }

  function at(latlng) {
    return { text: `${latlng.lng.toFixed(7)},${latlng.lat.toFixed(7)}`, lon: latlng.lng, lat: latlng.lat };
  }

  // where a pointer let go: on another corner that is near, so that neighbours share it to the last digit
  function snapped(latlng, unless) {
    const here = map.latLngToContainerPoint(latlng);
    for (const one of blocks) {
      for (const other of ringOf(one)) {
        if (other.text !== unless && map.latLngToContainerPoint([other.lat, other.lon]).distanceTo(here) <= SNAP_PX) return other;
      }
    }
    return at(latlng);
  }

  function remember() {
    past.push(blocks.map((one) => one.lines.value));
    tool.undo.disabled = false;
  }

  // the chosen zone's, and of its neighbours those that have the same corner
  function concerned(text) {
    return blocks.filter((one) => one === chosen || (together.checked && text && ringOf(one).some((other) => other.text === text)));
  }

  function moveCorner(text, to) {
    remember();
    for (const one of concerned(text)) write(one, ringOf(one).map((other) => (other.text === text ? to : other)));
    corner = to.text;
    redraw();
  }

  function addCorner(after, before, to) {
    remember();
    const sharing = together.checked ? blocks : [chosen];
    for (const one of sharing) {
      const ring = ringOf(one);
      const n = ring.findIndex((other, k) => {
        const next = ring[(k + 1) % ring.length];
        return (other.text === after && next.text === before) || (other.text === before && next.text === after);
      });
      if (n >= 0) {
        ring.splice(n + 1, 0, to);
        write(one, ring);
      }
    }
    corner = to.text;
    redraw();
  }

  function removeCorner() {
    if (!chosen || !corner || ringOf(chosen).length <= 3) return;
    remember();
    for (const one of concerned(corner)) {
      const left = ringOf(one).filter((other) => other.text !== corner);
      if (left.length >= 3) write(one, left);
    }
    corner = null;
    redraw();
  }

  function mark(position, kind) {
    return L.marker([position.lat, position.lon], {
      icon: L.divIcon({ className: kind, html: "", iconSize: kind === "midpoint" ? [14, 14] : [22, 22] }),
      draggable: true,
      keyboard: false,
      zIndexOffset: kind === "midpoint" ? 500 : 1000,
    }).addTo(drawn);
  }

  function marksOf(one, polygon) {
    const ring = ringOf(one);
    ring.forEach((position, n) => {
      const round = mark(position, position.text === corner ? "corner chosen" : "corner");
      round.on("drag", (event) => {
        polygon.setLatLngs(ring.map((other) => (other === position ? event.latlng : [other.lat, other.lon])));
      });
      round.on("dragend", () => moveCorner(position.text, snapped(round.getLatLng(), position.text)));
      round.on("click", () => {
        corner = position.text;
        redraw();
      });
      const next = ring[(n + 1) % ring.length];
      if (isNew || ring.length < 2) return;
      const middle = mark({ lat: (position.lat + next.lat) / 2, lon: (position.lon + next.lon) / 2 }, "midpoint");
      for (const name of ["click", "dragend"]) {
        middle.on(name, () => addCorner(position.text, next.text, at(middle.getLatLng())));
      }
    });
  }

  function nameOf(one) {
    const [number, name] = one.block.querySelectorAll("input");
    return `${number.value} ${name.value}`.trim() || "新 new";
  }

  function redraw() {
    drawn.clearLayers();
    for (const one of blocks) {
      const ring = ringOf(one).map((position) => [position.lat, position.lon]);
      if (!ring.length) continue;
      const style = { ...styleOf({ hue: one.hue }), weight: one === chosen ? 4 : 2 };
      const polygon = (isNew && one === chosen ? L.polyline : L.polygon)(ring, style).addTo(drawn);
      polygon.on("click", (event) => {
        if (isNew) return;
        L.DomEvent.stopPropagation(event);
        choose(one);
      });
      if (one === chosen) marksOf(one, polygon);
    }
    const corners = chosen ? ringOf(chosen).length : 0;
    tool.remove.disabled = !chosen || !corner || isNew || corners <= 3;
    tool.close.disabled = !isNew || corners < 3;
    tool.new.disabled = isNew || ringOf(blank).length > 0;
    tool.undo.disabled = !past.length;
    said.textContent = chosen ? `片区 zone ${nameOf(chosen)}：${corners} 个角 corners` : "还没选片区 no zone chosen";
  }

  function choose(one) {
    chosen = one;
    corner = null;
    redraw();
  }

  tool.undo.addEventListener("click", () => {
    const before = past.pop();
    if (!before) return;
    blocks.forEach((one, n) => {
      one.lines.value = before[n];
    });
    corner = null;
    redraw();
  });
  tool.remove.addEventListener("click", removeCorner);
  tool.new.addEventListener("click", () => {
    isNew = true;
    choose(blank);
    said.textContent = "在地图上依次点出各个角，再按“画完” click its corners on the map in order, then close it";
  });
  tool.close.addEventListener("click", () => {
    isNew = false;
    redraw();
    blank.block.querySelector("input").focus();
  });
  map.on("click", (event) => {
    if (!isNew) return;
    remember();
    write(blank, [...ringOf(blank), snapped(event.latlng)]);
    redraw();
  });
  for (const one of blocks) {
    let before = null;
    one.lines.addEventListener("focus", () => {
      before = blocks.map((other) => other.lines.value);
      if (!isNew) choose(one);
    });
    one.lines.addEventListener("change", () => {
      if (before) past.push(before);
      before = blocks.map((other) => other.lines.value);
      redraw();
    });
    one.lines.addEventListener("input", redraw);
  }

  redraw();
  const all = L.latLngBounds(blocks.flatMap((one) => ringOf(one).map((position) => [position.lat, position.lon])));
  const whole = all.isValid() ? all : today.getBounds();
  if (whole.isValid()) map.fitBounds(whole, { padding: [24, 24], animate: false, maxZoom: 16 });
  else map.setView([31.2, 121.4], 12);
  L.control.scale({ imperial: false }).addTo(map);
})();
