(() => {
  "use strict";
  const places = document.querySelectorAll("[data-figure]");
  if (!places.length || typeof DecompressionStream === "undefined" || typeof IntersectionObserver === "undefined") return;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const pause = () => new Promise((resolve) => setTimeout(resolve));
  const waiting = [];
  let library;
  let busy = false;

  // Base 85 as of RFC 1924, with . , / for < > &.
  const decode = (text) => {
    const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%/()*+-;.=,?@^_`{|}~";
    const values = new Uint8Array(128);
    [...letters].forEach((letter, value) => { values[letter.charCodeAt(0)] = value; });
    const bytes = new Uint8Array(Math.floor(text.length * 4 / 5));
    for (let from = 0, to = 0; from < text.length; from += 5) {
      let word = 0;
      for (let at = from; at < from + 5; at += 1) word = word * 85 + (at < text.length ? values[text.charCodeAt(at)] : 84);
      for (let shift = 24; shift >= 0; shift -= 8) bytes[to++] = word >>> shift;
    }
    return bytes;
  };

  const unpack = async () => {
    const bytes = decode(document.getElementById("plotly-packed").textContent.trim());
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    await pause();
    document.head.append(script);
    return window.Plotly;
  };

  const giveUp = () => new Promise((resolve, reject) => setTimeout(reject, 20000, new Error("a chart takes too long")));

  // Only what is whole is shown: until then, and wherever drawing fails or takes long, the still drawing stands there.
  const draw = async (place) => {
    const figure = read(place.dataset.figure);
    const drawing = window.Plotly.newPlot(place, figure.data, figure.layout, read("chart-config"));
    await Promise.race([drawing, giveUp()]);
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

  // A chart is drawn when it is about to be seen.
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      observer.unobserve(entry.target);
      waiting.push(entry.target);
    }
    if (waiting.length) drawWaiting();
  }, { rootMargin: "50% 0px" });
  places.forEach((place) => observer.observe(place));
})();
