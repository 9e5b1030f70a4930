import { describe, expect, it } from "vitest";
import { DARK, DASHES, LIGHT } from "../../../src/cli/plot/palette.ts";

/** sRGB to linear light, from 0 to 1; IEC 61966-2-1. */
function linear(colour: string): [number, number, number] {
  const parts = [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16) / 255);
  return parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
}

/** WCAG 2.2: relative luminance, and the contrast of two colours. */
const luminance = ([r, g, b]: readonly number[]): number => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(linear(a)), luminance(linear(b))].sort((p, q) => p - q);
  return (light! + 0.05) / (dark! + 0.05);
}

/** Linear light as protanopes and deuteranopes see it: Machado, Oliveira and Fernandes 2009, severity 1. */
const VISION = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** Oklab (Ottosson 2020): distances in it are about as large as they look; 0.02 can just be told apart. */
function oklab([r, g, b]: readonly number[]): number[] {
  const l = Math.cbrt(0.4122214708 * r! + 0.5363325363 * g! + 0.0514459929 * b!);
  const m = Math.cbrt(0.2119034982 * r! + 0.6806995451 * g! + 0.1073969566 * b!);
  const s = Math.cbrt(0.0883024619 * r! + 0.2817188376 * g! + 0.6299787005 * b!);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
function distance(a: string, b: string, vision: readonly (readonly number[])[]): number {
  const [p, q] = [a, b].map((colour) => {
    const light = linear(colour);
    return oklab(
      vision.map((row) =>
        Math.max(
          0,
          row.reduce((sum, c, i) => sum + c * light[i]!, 0),
        ),
      ),
    );
  });
  return Math.hypot(...p!.map((c, i) => c - q![i]!));
}

describe.each([
  ["light", LIGHT, "#ffffff"],
  ["dark", DARK, "#111111"],
] as const)("the %s colours", (_, theme, paper) => {
  it("stand out from the paper: curves 3 : 1, texts 4.5 : 1", () => {
    expect(theme.paper).toBe(paper);
    for (const colour of theme.curves) expect(contrast(colour, paper)).toBeGreaterThanOrEqual(3);
    for (const colour of [theme.text, theme.quiet])
      expect(contrast(colour, paper)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.entries(VISION))(
    "of the first five curves are told apart with %s vision",
    (_kind, vision) => {
      const first = theme.curves.slice(0, 5);
      for (const [i, a] of first.entries()) {
        for (const b of first.slice(0, i)) expect(distance(a, b, vision)).toBeGreaterThan(0.05);
      }
    },
  );
});

it("every curve has a colour and a dash of its own", () => {
  for (const theme of [LIGHT, DARK]) {
    expect(new Set(theme.curves).size).toBe(theme.curves.length);
    expect(theme.curves.length).toBe(DASHES.length);
  }
  expect(new Set(DASHES.map(String)).size).toBe(DASHES.length);
});
