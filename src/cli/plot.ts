/** @file `sluice plot <ops>...`: curves of ops and of their derivatives, as a picture or as text. */
import { UsageError } from "../errors.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import type { Options } from "./options.ts";
import { describe, toObject } from "./plot/describe.ts";
import { type Subject, subjectsOf } from "./plot/function.ts";
import { renderPage } from "./plot/page.ts";
import { MOST_CURVES } from "./plot/palette.ts";
import { type Scene, sceneOf } from "./plot/scene.ts";
import { renderSvg, type ThemeName } from "./plot/svg.ts";
import { print, toJson } from "./print.ts";
import { styleFor, widthOf } from "./style.ts";
import { printable } from "./text.ts";

type Output = { readonly path: string; readonly kind: "svg" | "png" };

export const run: Run = async (texts, options) => {
  const grad = options.has("grad");
  const output = outputOf(options);
  const theme = options.choice<ThemeName>("theme", ["auto", "light", "dark"]) ?? "auto";
  const x = { from: -4, to: 4, ...numbers(options, "from", "to") };
  const y = numbers(options, "y-from", "y-to");
  checkRange(x.from, x.to, "--from", "--to");
  if (y.from !== undefined && y.to !== undefined) checkRange(y.from, y.to, "--y-from", "--y-to");
  const subjects = subjectsOfAll(texts, grad);
  const scene = sceneOf(subjects, { x, y });
  const asJson = (): string => toJson({ ...toObject(subjects, scene, x), output: output?.path ?? null });

  if (output === undefined) {
    await print(options.has("json") ? asJson() : `${asText(scene).join("\n")}\n`);
    return EXIT.done;
  }
  const svg = renderSvg(scene, {
    title: printable(options.text("title") ?? titleOf(scene)),
    description: describe(subjects, x),
    theme,
  });
  if (output.path === "-") {
    await print(svg);
    if (options.has("json")) await print(asJson(), "stderr");
    return EXIT.done;
  }
  const { writePicture } = await import("./plot/write.ts");
  await writePicture(output.path, options.has("overwrite"), async () => {
    if (output.kind === "svg") return Buffer.from(svg);
    return (await import("./plot/png.ts")).toPng(svg);
  });
  if (options.has("json")) await print(asJson());
  else if (process.stderr.isTTY) await print(`Wrote ${printable(output.path)}\n`, "stderr");
  return EXIT.done;
};

function outputOf(options: Options): Output | undefined {
  const path = options.text("output");
  if (path === undefined) return undefined;
  const kind = path === "-" ? "svg" : /\.(svg|png)$/i.exec(path)?.[1]?.toLowerCase();
  if (kind === "svg" || kind === "png") return { path, kind };
  throw new UsageError(`a picture cannot be written as ${JSON.stringify(path)}`, {
    remedy: "End the name in .svg or .png; - writes SVG to stdout.",
  });
}

function numbers(options: Options, from: string, to: string): { from?: number; to?: number } {
  const [first, last] = [numberOf(options, from), numberOf(options, to)];
  return { ...(first === undefined ? {} : { from: first }), ...(last === undefined ? {} : { to: last }) };
}

function numberOf(options: Options, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Math.abs(number) <= LARGEST) return number;
  throw new UsageError(`--${name} cannot be ${JSON.stringify(text)}`, {
    remedy: "Give a number between -1e100 and 1e100, such as -6 or 0.5.",
  });
}

/** Far beyond what is of use, and far from where the length of a range overflows. */
const LARGEST = 1e100;
/** Of the larger end: below this, neighbours on the screen would be the same float64. */
const NARROWEST = 1e-6;

function checkRange(from: number, to: number, first: string, last: string): void {
  if (to - from > NARROWEST * Math.max(Math.abs(from), Math.abs(to), 1e-100)) return;
  const problem =
    from >= to
      ? `${last} (${to}) is not above ${first} (${from})`
      : `${first} and ${last} are too close together`;
  throw new UsageError(problem, { remedy: `Leave them out for -4 to 4, or write ${first}=-6 ${last}=6.` });
}

function subjectsOfAll(texts: readonly string[], grad: boolean): Subject[] {
  const file = texts.find((text) => /\.(svg|png)$/i.test(text));
  if (file !== undefined) {
    throw new UsageError(`${JSON.stringify(file)} is no op`, { remedy: `To write a picture: -o ${file}.` });
  }
  const subjects = texts.flatMap((text) => subjectsOf(text, grad));
  if (subjects.length <= MOST_CURVES) return subjects;
  throw new UsageError(`${subjects.length} curves are too many to tell apart`, {
    remedy: `Draw at most ${MOST_CURVES} in one picture. A list of slopes gives a curve for each.`,
  });
}

const titleOf = ({ labels, panels }: Scene): string =>
  labels.length === 1 ? labels[0]! : panels.length > 1 ? "Ops and their derivatives" : "Ops compared";

/** As wide as the terminal, and not higher; without one 80 columns. */
function asText(scene: Scene): string[] {
  const { stdout } = process;
  const width = stdout.isTTY ? Math.min(MOST_COLUMNS, widthOf(stdout)) : 80;
  const across = scene.panels.length > 1 ? width / 2 : width;
  const legend = scene.labels.length > 1 ? 4 : 2;
  const most = stdout.isTTY ? Math.max(10, (stdout.rows ?? 24) - legend) : 24;
  const height = Math.min(most, Math.max(12, Math.round(across * 0.36)));
  return renderPage(scene, { width, height }, styleFor(stdout.isTTY === true));
}

const MOST_COLUMNS = 140;
