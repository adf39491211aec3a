// A count: how many different lines each field holds, so that who scans sees that the gun was heard.
for (const told of document.querySelectorAll("[data-lines-of]")) {
  const field = document.getElementById(told.dataset.linesOf);
  const tell = () => {
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const once = new Set(lines.map((line) => line.toUpperCase())).size;
    told.textContent = lines.length ? `· 已扫 ${once} 只` + (once < lines.length ? `（重复 ${lines.length - once}）` : "") : "";
  };
  field.addEventListener("input", tell);
  tell();
}
