/** @file The least certain rows, as pictures where they are images. */
import type { UncertainRow } from "../../train/assessment.ts";
import { escaped } from "./html.ts";

/** Shades of grey between paper and ink. */
const SHADES = 16;

/** Height and width of images, where rows of this shape are some that can be drawn: in one plane, or three of colours. */
export function imageSize(
  shape: readonly number[],
): { planes: number; height: number; width: number } | undefined {
  const [planes, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3 || (planes !== 1 && planes !== 3)) return undefined;
  const small = [height!, width!].every((side) => side >= 2 && side <= 256);
  return small ? { planes, height: height!, width: width! } : undefined;
}

export function renderPicture(row: UncertainRow, shape: readonly number[]): string {
  const { truth, guesses, features } = row;
  const told = guesses.map(({ name, share }) => `${escaped(name)} (${Math.round(100 * share)}%)`).join(", ");
  return `<figure>${renderImage(features, shape)}<div><b>${escaped(truth)}</b> <span class="quiet">seen as</span> ${told}</div></figure>`;
}

/**
 * Each shade is one path, of runs of equal pixels: short, and sharp at any size. Colour images have a rectangle for each
 * run.
 */
function renderImage(pixels: Float32Array, shape: readonly number[]): string {
  const { planes, height, width } = imageSize(shape)!;
  const [least, most] = pixels.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  const shadeOf = (at: number): number =>
    most > least ? Math.round(((pixels[at]! - least) / (most - least)) * (SHADES - 1)) : 0;
  const nameOf = (at: number): string =>
    Array.from({ length: planes }, (_, plane) => shadeOf(plane * height * width + at)).join(" ");
  const paths = new Map<string, string>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      const name = nameOf(y * width + x);
      let end = x + 1;
      while (end < width && nameOf(y * width + end) === name) end++;
      paths.set(name, `${paths.get(name) ?? ""}M${x} ${y}h${end - x}v1h${x - end}z`);
      x = end;
    }
  }
  const drawn = [...paths].map(([name, path]) => {
    const shades = name.split(" ").map(Number);
    if (planes === 3)
      return `<path fill="rgb(${shades.map((shade) => Math.round((shade * 255) / (SHADES - 1))).join(" ")})" d="${path}"/>`;
    return shades[0] === 0
      ? ""
      : `<path class="ink" fill-opacity="${(shades[0]! / (SHADES - 1)).toFixed(2)}" d="${path}"/>`;
  });
  return `<svg class="picture" viewBox="0 0 ${width} ${height}" shape-rendering="crispEdges" role="img">${drawn.join("")}</svg>`;
}
