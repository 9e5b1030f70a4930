/** @file What `inspect` found in safetensors, as text: a model's layers and what it predicts, or a list of tensors. */
import type { Architecture, SafetensorsInspection } from "../train/files/inspect.ts";
import { lossText } from "../train/loss-text.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, printable, wrap } from "./text.ts";
import { formatCount, formatSize, plural } from "./units.ts";

/** Classes and columns that are named; `--json` has all. */
const MOST_NAMES = 12;

export function renderSafetensors(
  found: SafetensorsInspection,
  input: string,
  width: number,
  style: Style,
): string {
  const { model, tensors, bytes } = found;
  const what = model
    ? ["model of Sluice", plural(model.parameters, "parameter")]
    : ["safetensors", plural(tensors.length, "tensor")];
  const facts = wrap([...what, formatSize(bytes)].join(", "), measureOf(width) - 2);
  const head = [`${style.bold(printable(input))}\n`, ...facts.map((line) => `  ${line}\n`)];
  const body = model ? renderModel(model, width, style) : renderTensors(found, width, style);
  return [...head, body].join("");
}

function renderModel(model: Architecture, width: number, style: Style): string {
  const layers = renderTable(
    [
      { title: "", align: "right" },
      { title: "layer" },
      { title: "shape of a row", align: "right" },
      { title: "parameters", align: "right" },
    ],
    [
      ["", style.dim("input"), shapeOf(model.inputShape), ""],
      ...model.network.map(({ layer, shape, parameters }, index) => [
        String(index),
        style.cyan(printable(layer)),
        shapeOf(shape),
        parameters === 0 ? "" : formatCount(parameters),
      ]),
    ],
    { width, style },
  );
  const about = factsOf(model).map(([term, text]) => [style.cyan(term), printable(text)]);
  const facts = renderTable([{ title: "" }, { title: "", wrapAt: 20 }], about, {
    ...{ width: measureOf(width), style, titles: false },
  });
  return `\n${style.bold(plural(model.network.length, "layer"))}\n${layers}\n${facts}`;
}

function factsOf({ features, target, loss, training }: Architecture): [string, string][] {
  const facts: [string, string][] = [];
  if (features.length > 0) facts.push(["features", some(features)]);
  if (target?.kind === "classes") {
    facts.push(["predicts", `${formatCount(target.classes.length)} classes: ${some(target.classes)}`]);
  } else if (target) facts.push(["predicts", target.size === 1 ? "a number" : `${target.size} numbers`]);
  if (loss) facts.push(["loss", lossText(loss)]);
  if (training) facts.push(["training", trainingText(training)]);
  return facts;
}

/** How far it is, and with what. */
function trainingText(training: Readonly<Record<string, unknown>>): string {
  const settings = (training.settings ?? {}) as Readonly<Record<string, unknown>>;
  const parts = [typeof training.step === "number" ? plural(training.step, "step") : ""];
  for (const name of ["optimizer", "batch", "seed"]) {
    const value = settings[name];
    if (typeof value === "string") parts.push(value);
    else if (typeof value === "number") parts.push(`${name} ${value}`);
  }
  return parts.filter(Boolean).join(", ");
}

function renderTensors({ tensors }: SafetensorsInspection, width: number, style: Style): string {
  const table = renderTable(
    [{ title: "name" }, { title: "dtype" }, { title: "shape" }, { title: "size", align: "right" }],
    tensors.map(({ name, dtype, shape, bytes }) => [
      style.cyan(printable(name)),
      printable(dtype),
      shapeOf(shape),
      formatSize(bytes),
    ]),
    { width, style },
  );
  return table === "" ? "" : `\n${style.bold(plural(tensors.length, "tensor"))}\n${table}`;
}

const shapeOf = (shape: readonly number[]): string => (shape.length === 0 ? "scalar" : shape.join(" x "));

function some(names: readonly (string | number | boolean)[]): string {
  const shown = names.slice(0, MOST_NAMES).map(String);
  if (names.length > MOST_NAMES) shown.push(`and ${formatCount(names.length - MOST_NAMES)} more`);
  return shown.join(", ");
}
