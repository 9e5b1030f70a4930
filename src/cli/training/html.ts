/** @file Small pieces of HTML and SVG. */

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that names and values may stand in, whatever they hold. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

/** A hundredth of a pixel is finer than any screen. */
export const digits = (value: number): string => String(Math.round(value * 100) / 100);

/** A figure with its title, what there is to see in it, and the drawing. */
export function figure(title: string, about: string, ...content: readonly string[]): string {
  const more = about === "" ? "" : `<p>${escaped(about)}</p>`;
  return `<figure><figcaption>${escaped(title)}${more}</figcaption>${content.join("")}</figure>`;
}

export function section(title: string, about: string, ...content: readonly string[]): string {
  const more = about === "" ? "" : `<p class="about">${escaped(about)}</p>`;
  return `<section><h2>${escaped(title)}</h2>${more}${content.join("\n")}</section>`;
}
