(() => {
  "use strict";
  const places = document.querySelectorAll("[data-figure]");
  if (!places.length || typeof DecompressionStream === "undefined" || typeof IntersectionObserver === "undefined") return;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const pause = () => new Promise((resolve) => setTimeout(resolve));
  const waiting = [];
  let library;
  let busy = false;

  const unpack = async () => {
    const packed = atob(document.getElementById("plotly-packed").textContent.trim());
    const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    await pause();
    document.head.append(script);
    return window.Plotly;
  };

  const draw = async (place) => {
    const figure = read(place.dataset.figure);
    await window.Plotly.newPlot(place, figure.data, figure.layout, read("chart-config"));
    place.parentElement.dataset.drawn = "true";
  };

  // One drawing at a time, with a pause before each, so that the page answers while it draws.
  const drawWaiting = async () => {
    if (busy) return;
    busy = true;
    library ??= unpack();
    if (!(await library)) return;
    while (waiting.length) {
      await pause();
      const place = waiting.shift();
      if (!place.clientWidth) observer.observe(place);
      else await draw(place).catch((error) => { place.replaceChildren(); reportError(error); });
    }
    busy = false;
  };

  // A chart is drawn when it is about to be seen; until then, and wherever this fails, its still drawing stands there.
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      observer.unobserve(entry.target);
      waiting.push(entry.target);
    }
    if (waiting.length) drawWaiting();
  }, { rootMargin: "50% 0px" });
  places.forEach((place) => observer.observe(place));
})();
