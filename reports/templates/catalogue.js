(() => {
  "use strict";
  const filters = document.getElementById("filters");
  const entries = [...document.querySelectorAll(".entries li")];
  const count = document.getElementById("count");
  const show = () => {
    const words = filters.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...filters.querySelectorAll("select")].filter((select) => select.value);
    let shown = 0;
    for (const entry of entries) {
      const fits = words.every((word) => entry.dataset.words.includes(word))
        && chosen.every((select) => entry.dataset[select.name].split(" | ").includes(select.value));
      entry.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${entries.length} instruments`;
  };
  filters.hidden = false;
  filters.addEventListener("input", show);
  show();
})();
