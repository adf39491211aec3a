// Keeps a followed delivery fresh: every 15 seconds the part that is alive is fetched again, while somebody
// looks and the delivery is not over. Without scripts the page reloads itself, and says "refresh".
const EVERY_MS = 15000;

async function refresh() {
  const old = document.querySelector("[data-live]");
  if (!old) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const live = page.getElementById("live");
        if (live && !live.hasAttribute("data-live")) location.replace(location.pathname);
        else if (live && live.innerHTML !== old.innerHTML) old.replaceChildren(...live.childNodes);
      }
    } catch {
      // no network for now: what is shown stays, and is asked for again
    }
  }
  setTimeout(refresh, EVERY_MS);
}
setTimeout(refresh, EVERY_MS);
