/** @file SVG to PNG, by resvg: an optional peer dependency, for few need it. */
import { UnsupportedError } from "../../errors.ts";

/** Pixels of the PNG for one of the SVG: sharp on screens of high resolution. */
const ZOOM = 2;

/**
 * Texts are set in the fonts of this machine.
 *
 * @throws UnsupportedError where resvg is not installed, or not for this machine
 */
export async function toPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await load();
  const options = {
    fitTo: { mode: "zoom", value: ZOOM },
    font: { defaultFontFamily: "DejaVu Sans" },
  } as const;
  return new Resvg(svg, options).render().asPng();
}

async function load(): Promise<typeof import("@resvg/resvg-js")> {
  try {
    return await import("@resvg/resvg-js");
  } catch (cause) {
    throw new UnsupportedError("PNG needs the package @resvg/resvg-js, which cannot be loaded", {
      cause,
      remedy: "Install it beside Sluice (npm install @resvg/resvg-js), or write SVG: -o curves.svg.",
    });
  }
}
