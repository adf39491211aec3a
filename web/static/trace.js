// The map of a trace: every place once, numbered by its steps. Without it the list beside says the same.
const map = document.getElementById("map");
if (map && window.L) {
  const points = JSON.parse(map.dataset.points);
  map.textContent = "";
  const view = L.map(map, { preferCanvas: true, attributionControl: false, zoomControl: false });
  L.control.zoom({ zoomInTitle: "放大 Zoom in", zoomOutTitle: "缩小 Zoom out" }).addTo(view);
  L.control.scale({ imperial: false }).addTo(view);
  const places = points.map((point) => [point.lat, point.lon]);
  L.polyline(places, { color: "#0b5d57", weight: 2, dashArray: "4 6" }).addTo(view);
  for (const point of points) {
    const label = point.steps.length > 1 ? `${point.steps[0]}…` : `${point.steps[0]}`;
    const icon = L.divIcon({ className: point.bad ? "stop bad" : "stop", html: label, iconSize: [30, 26] });
    const text = `${point.name}：第 ${point.steps.join("、")} 步`;
    L.marker([point.lat, point.lon], { icon, alt: text, title: text, keyboard: true })
      .on("click", () => document.getElementById(`step-${point.steps[0]}`)?.scrollIntoView())
      .addTo(view);
  }
  view.fitBounds(L.latLngBounds(places).pad(0.3), { maxZoom: 16 });
}
