(async () => {
  "use strict";
  const places = document.querySelectorAll("[data-figure]");
  if (!places.length || typeof DecompressionStream === "undefined") return;
  const packed = atob(document.getElementById("plotly-packed").textContent.trim());
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const library = document.createElement("script");
  library.textContent = await new Response(stream).text();
  document.head.append(library);
  if (!window.Plotly) return;
  const config = JSON.parse(document.getElementById("chart-config").textContent);
  for (const place of places) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const note = place.querySelector("p");
    if (note) note.remove();
    await window.Plotly.newPlot(place, figure.data, figure.layout, config);
    place.dataset.drawn = "true";
  }
})();
