"use strict";
// Draws the figures in the colours of the scheme in use: light, dark, or paper when printing.
(() => {
  const store = document.getElementById("figures");
  const figures = store && window.Plotly ? JSON.parse(store.textContent) : {};
  const places = [...document.querySelectorAll("[data-figure]")].filter((p) => p.dataset.figure in figures);

  const resolve = (value, style) => {
    if (Array.isArray(value)) return value.map((part) => resolve(part, style));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolve(part, style)]));
    if (typeof value !== "string" || value[0] !== "@") return value;
    const [name, opacity] = value.slice(1).split("/");
    const colour = style.getPropertyValue("--" + name).trim();
    if (!colour) return value;
    if (!opacity) return colour;
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return `rgba(${r},${g},${b},${opacity / 100})`;
  };

  const draw = (width) => {
    const style = getComputedStyle(document.documentElement);
    for (const place of places) {
      const figure = resolve(figures[place.dataset.figure], style);
      figure.layout.font = { ...figure.layout.font, family: style.getPropertyValue("--sans") };
      if (width) figure.layout.width = width(place);
      Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: false });
    }
  };

  // A sheet of paper is narrower than the window: 180 mm less the gaps between panels.
  const onPaper = (place) => {
    const panels = place.closest(".panels");
    const columns = panels.classList.contains("of3") ? 3 : panels.classList.contains("of2") ? 2 : 1;
    return (670 - 20 * (columns - 1)) / columns;
  };

  // A menu puts another trial's curves in the place of the figure's own.
  const choices = store && figures.choices ? figures.choices : {};
  for (const menu of document.querySelectorAll("[data-choose]")) {
    const name = menu.dataset.choose;
    menu.addEventListener("change", () => {
      const choice = choices[name][menu.value];
      choice.panels.forEach((panel, i) => { figures[`${name}-${i}`] = panel; });
      document.querySelector(`[data-chosen="${name}"]`).textContent = choice.text;
      document.querySelector(`[data-named="${name}"]`).textContent = `${menu.selectedOptions[0].text}. `;
      draw();
    });
  }

  // The page alone gives pictures, too: those of the figure as it stands.
  for (const link of document.querySelectorAll("a[data-kind=png], a[data-kind=svg]")) {
    const own = places.filter((place) => place.dataset.figure.replace(/-\d+$/, "") === link.dataset.of);
    if (!own.length) continue;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      own.forEach((place, i) => Plotly.downloadImage(place, {
        format: link.dataset.kind, scale: 2, width: place.clientWidth, height: place.clientHeight,
        filename: own.length > 1 ? `${link.dataset.of}-${i + 1}` : link.dataset.of,
      }));
    });
  }

  draw();
  const resized = new ResizeObserver((entries) => {
    if ("print" in document.documentElement.dataset) return;
    for (const { target } of entries)
      if (target.layout && Math.abs(target.clientWidth - target._fullLayout.width) > 1) Plotly.Plots.resize(target);
  });
  places.forEach((place) => resized.observe(place));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  window.addEventListener("beforeprint", () => {
    document.documentElement.dataset.print = "";
    document.querySelectorAll("details").forEach((part) => { part.dataset.was = part.open ? "1" : ""; part.open = true; });
    draw(onPaper);
  });
  window.addEventListener("afterprint", () => {
    delete document.documentElement.dataset.print;
    document.querySelectorAll("details").forEach((part) => { part.open = part.dataset.was === "1"; });
    draw();
  });

  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.querySelector("p").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
})();
