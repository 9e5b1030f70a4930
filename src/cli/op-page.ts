/** @file One op explained: what it computes, its gradient, its parameters, its curve, values, and commands to try. */
import { backward } from "../ops/backward.ts";
import { type OpDefinition, type ParamSpec, signatureOf } from "../ops/definition.ts";
import { evaluate } from "../ops/evaluate.ts";
import { evaluateRows } from "../ops/evaluate-rows.ts";
import { formatNumber } from "../ops/formula.ts";
import { fuse } from "../ops/fuse.ts";
import { parseChain } from "../ops/parse.ts";
import { isElementwise, subjectsOf } from "./plot/function.ts";
import { renderPage } from "./plot/page.ts";
import { sceneOf } from "./plot/scene.ts";
import type { Style } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, wrap } from "./text.ts";
import { formatValue } from "./units.ts";

/** The page about one op, for lines of `width` cells. */
export function renderOp(op: OpDefinition, width: number, style: Style): string {
  const measure = measureOf(width);
  const heading = (text: string): string => `\n${style.bold(text)}\n`;
  const examples = examplesOf(op);
  const [chain] = examples;
  const parts = [
    `${style.bold(signatureOf(op))}\n\n${wrap(op.summary, measure).join("\n")}\n\n`,
    renderFacts(op, measure, style),
  ];
  if (op.params.length > 0) parts.push(heading("Parameters"), renderParams(op.params, measure, style));
  if (isElementwise(op.expression) && measure >= LEAST_FOR_CURVE) {
    parts.push(heading(`Curve of ${chain}`), renderCurve(chain!, measure, style));
  }
  parts.push(heading("Values in float32"), renderValues(op, chain!, width, style));
  parts.push(heading("Examples"));
  for (const example of examples) {
    const quoted = /\W/.test(example) ? `'${example}'` : example;
    parts.push(`  ${style.cyan(`sluice apply ${quoted} in.arrow out.arrow`)}\n`);
  }
  return parts.join("");
}

function renderFacts(op: OpDefinition, width: number, style: Style): string {
  const facts = [
    ["Formula", style.cyan(op.formula)],
    ["Gradient", op.gradient],
    ["Accuracy", op.accuracy],
    ["Domain", op.domain],
    ["Semantics", op.source],
    ["Elsewhere", op.aliases.length > 0 ? `called ${op.aliases.join(", ")}` : ""],
  ];
  return renderTable(
    [{ title: "" }, { title: "", wrapAt: 20 }],
    facts.filter(([, text]) => text !== "").map(([term, text]) => [style.dim(term!), text!]),
    { width, style, titles: false },
  );
}

function renderParams(params: readonly ParamSpec[], width: number, style: Style): string {
  return renderTable(
    [{ title: "name" }, { title: "default", align: "right" }, { title: "meaning", wrapAt: 24 }],
    params.map(({ name, default: otherwise, about, aliases = [] }) => [
      style.cyan(name),
      otherwise === undefined ? "required" : formatNumber(otherwise),
      `${about}${aliases.length > 0 ? ` Elsewhere called ${aliases.join(", ")}.` : ""}`.trim(),
    ]),
    { width, style },
  );
}

/** Cells below which there is no room for value and derivative side by side. */
const LEAST_FOR_CURVE = 76;
const CURVE_HEIGHT = 13;

function renderCurve(chain: string, width: number, style: Style): string {
  const scene = sceneOf(subjectsOf(chain, true), { x: { from: -4, to: 4 }, y: {} });
  const [, ...lines] = renderPage(scene, { width: Math.min(width, 80) - 2, height: CURVE_HEIGHT }, style);
  return `${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}\n`;
}

const POINTS = [-3, -1, -0.5, 0, 0.5, 1, 3, 7];
const ROW = [-2, -1, -0.5, 0, 0.5, 1, 2, 3];

/** What the chain makes of some numbers, and of a gradient of 1 at each; of one row, where the op is over rows. */
function renderValues(op: OpDefinition, chain: string, width: number, style: Style): string {
  const bound = parseChain(chain);
  const points = isElementwise(op.expression) ? POINTS : ROW;
  const xs = Float32Array.from(points);
  const values = xs.slice();
  const rows: [string, Float32Array][] = [[chain, values]];
  if (isElementwise(op.expression)) {
    const dx = new Float32Array(points.length).fill(1);
    evaluate(fuse(bound), "float32", values);
    evaluate(backward(bound), "float32", [xs, dx]);
    rows.push(["gradient", dx]);
  } else {
    evaluateRows(fuse(bound), "float32", values, points.length);
  }
  return renderTable(
    [{ title: "x" }, ...points.map((x) => ({ title: formatValue(x), align: "right" }) as const)],
    rows.map(([name, numbers]) => [style.cyan(name), ...Array.from(numbers, shortValue)]),
    { width, style },
  );
}

/** Three digits: a row of them fits 80 columns. */
const shortValue = (value: number): string => formatValue(Number(value.toPrecision(3)));

/** Values for parameters that have no default, or whose doubled default would be odd. */
const SAMPLE: Readonly<Record<string, readonly string[]>> = {
  clamp: ["-1", "1"],
  threshold: ["0.5", "0"],
  pow: ["3"],
  prelu: ["0.5", "1"],
  rrelu: ["0.1", "0.3"],
};

/** Chains to try, the simplest first. */
function examplesOf(op: OpDefinition): string[] {
  const chains: string[] = [];
  const required = op.params.some((param) => param.default === undefined);
  const sample = op.params.map((param, i) => {
    return SAMPLE[op.name]?.[i] ?? (param.default === undefined ? "0.5" : formatNumber(param.default * 2));
  });
  if (!required) chains.push(op.name);
  if (op.params.length > 0) {
    chains.push(`${op.name}(${sample.join(", ")})`);
    chains.push(`${op.name}(${op.params.map(({ name }, i) => `${name}=${sample[i]}`).join(", ")})`);
  }
  const perChannel = op.params.find((param) => param.perChannel);
  if (perChannel) chains.push(`${op.name}(${perChannel.name}=[0.1, 0.2, 0.3])`);
  if (op.params.length === 0) chains.push(`mul(0.5) | ${op.name}`);
  return chains;
}
