/** @file The style sheet of the report: the palette of plots as CSS, for light and for dark screens, and its few shapes. */
import { DARK, DASHES, LIGHT, type Theme } from "../plot/palette.ts";

/** The page's style sheet. */
export function styleSheet(): string {
  return `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 18px; margin: 44px 0 4px }
p { margin: 0 0 12px; max-width: 76ch }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px }
.quiet, figcaption p, p.about { color: var(--quiet) }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 24px 0 0; padding: 0 }
.facts div { border: 1px solid var(--frame); border-radius: 8px; padding: 10px 16px; min-width: 130px }
.facts dt { color: var(--quiet); font-size: 13px }
.facts dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 16px }
figure { margin: 0; border: 1px solid var(--frame); border-radius: 8px; padding: 14px 16px 10px; min-width: 0; position: relative }
figcaption { font-weight: 600; margin-bottom: 6px }
figcaption p { font-weight: 400; font-size: 13px; margin: 0 }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; font-weight: 400; margin-top: 4px }
.legend svg { width: 26px; height: 10px; margin-right: 6px; vertical-align: 1px }
svg { display: block; width: 100%; height: auto; overflow: visible }
.legend svg { display: inline-block }
svg text { fill: var(--quiet); font-size: 12px; font-variant-numeric: tabular-nums }
.end { text-anchor: end } .middle { text-anchor: middle }
.grid { stroke: var(--grid); fill: none } .axis { stroke: var(--axis); fill: none }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.thin { stroke-width: 1; stroke-opacity: 0.35; stroke-dasharray: none }
.bars { fill: var(--c0) } .bars.second { fill: var(--c2) }
${DASHES.map((dash, i) => `.c${i} { stroke: var(--c${i}) } circle.c${i} { fill: var(--c${i}) }${dash.length > 0 ? ` .d${i} { stroke-dasharray: ${dash.join(" ")} }` : ""}`).join("\n")}
.hair { stroke: var(--axis); stroke-width: 1; visibility: hidden } .mark { stroke: var(--paper); stroke-width: 1.5; visibility: hidden }
.readout { position: absolute; pointer-events: none; visibility: hidden; background: var(--paper); border: 1px solid var(--frame);
  border-radius: 6px; padding: 4px 9px; font-size: 12.5px; white-space: nowrap; font-variant-numeric: tabular-nums; z-index: 1 }
.narrow { width: fit-content; max-width: 100% } .matrix { width: 1000px } .matrix .right { fill: var(--c0) } .matrix .wrong { fill: var(--c1) }
.matrix text { font-size: 13px } .matrix .count { fill: var(--text) } .matrix .on { fill: var(--paper); font-weight: 600 }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 12px; font-size: 13px }
.pictures figure { padding: 10px } .picture { margin-bottom: 8px } .pictures b { font-size: 17px; margin-right: 2px }
.ink { fill: var(--text) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 5px 16px 5px 0; border-top: 1px solid var(--grid) }
th { font-weight: 400; color: var(--quiet); white-space: nowrap; width: 1% }
td { overflow-wrap: anywhere } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
@media print { figure, section { break-inside: avoid } }
`;
}

function variables(theme: Theme): string {
  const { curves, ...colours } = theme;
  const named = Object.entries(colours).map(([name, colour]) => `--${name}: ${colour}`);
  return [...named, ...curves.map((colour, i) => `--c${i}: ${colour}`)].join("; ");
}

/**
 * What the page does by itself: tells the values under the pointer. It finds them in the drawn points, so that every number
 * is in the page once.
 */
export const SCRIPT = `
for (const figure of document.querySelectorAll("figure:has(svg.lines)")) {
  const svg = figure.querySelector("svg.lines"), hair = svg.querySelector(".hair");
  const readout = figure.appendChild(Object.assign(document.createElement("div"), { className: "readout" }));
  const { left, right, top, bottom, x0, x1, y0, y1, log } = JSON.parse(svg.dataset.scale);
  const valueAt = (y) => {
    const value = y0 + ((bottom - y) / (bottom - top)) * (y1 - y0);
    return Number((log ? 10 ** value : value).toPrecision(4));
  };
  const curves = [...svg.querySelectorAll("polyline[data-label]")].map((line) => ({
    label: line.dataset.label, points: [...line.points], mark: svg.querySelector("circle.mark." + line.classList[1]),
  }));
  const show = (visible) => {
    for (const each of [hair, readout, ...curves.map(({ mark }) => mark)]) each.style.visibility = visible;
  };
  svg.addEventListener("pointerleave", () => show("hidden"));
  svg.addEventListener("pointermove", (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const near = (points) => points.reduce((a, b) => (Math.abs(b.x - place.x) < Math.abs(a.x - place.x) ? b : a));
    const step = x0 + ((near(curves.flatMap(({ points }) => points)).x - left) / (right - left)) * (x1 - x0);
    readout.replaceChildren("step " + Math.round(step).toLocaleString("en-US"));
    for (const { label, points, mark } of curves) {
      const { x, y } = near(points);
      mark.setAttribute("cx", x); mark.setAttribute("cy", y);
      readout.append(document.createElement("br"), label + ": " + valueAt(y));
    }
    hair.setAttribute("x1", place.x); hair.setAttribute("x2", place.x);
    show("visible");
    const box = figure.getBoundingClientRect(), at = event.clientX - box.left;
    readout.style.top = event.clientY - box.top - 12 + "px";
    readout.style.left = (at + readout.offsetWidth + 24 > box.width ? at - readout.offsetWidth - 16 : at + 16) + "px";
  });
}
`;
