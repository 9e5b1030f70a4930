/** @file `sluice ops [name]`: the catalog, or one op explained. */
import { UsageError } from "../errors.ts";
import { type OpDefinition, signatureOf } from "../ops/definition.ts";
import { evaluate } from "../ops/evaluate.ts";
import { formatNumber } from "../ops/formula.ts";
import { fuse } from "../ops/fuse.ts";
import { allOps, nearestOp } from "../ops/op.ts";
import { parseChain } from "../ops/parse.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { print, toJson } from "./streams.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { renderTable } from "./table.ts";
import { measureOf, wrap } from "./text.ts";
import { formatValue } from "./units.ts";

const OPS: readonly OpDefinition[] = allOps();

export const run: Run = async ([name], options) => {
  const { stdout } = process;
  const style = styleFor(stdout.isTTY === true);
  if (name === undefined) {
    const text = options.has("json")
      ? toJson({ ops: OPS.map(toObject) })
      : renderOps(OPS, widthOf(stdout), style);
    await print(text);
  } else {
    const op = findOp(name);
    await print(options.has("json") ? toJson(toObject(op)) : renderOp(op, widthOf(stdout), style));
  }
  return EXIT.done;
};

/** By its name, or by what other libraries call it. */
function findOp(name: string): OpDefinition {
  const op = OPS.find((each) => each.name === name) ?? OPS.find((each) => each.aliases.includes(name));
  if (op !== undefined) return op;
  const near = nearestOp(name);
  throw new UsageError(`there is no op ${JSON.stringify(name)}`, {
    remedy: near === undefined ? "sluice ops lists them all." : `Did you mean sluice ops ${near}?`,
  });
}

const toObject = ({ expression: _, ...op }: OpDefinition) => ({
  ...op,
  signature: signatureOf(op as OpDefinition),
});

/** The whole catalog, a line each; with formulas where the lines are long enough. */
export function renderOps(ops: readonly OpDefinition[], width: number, style: Style): string {
  const short = [{ title: "op" }, { title: "computes", wrapAt: 24 }];
  const long = [{ title: "op" }, { title: "formula" }, { title: "computes", wrapAt: 30 }];
  const wide = width >= 110;
  const table = renderTable(
    wide ? long : short,
    ops.map((op) => [style.cyan(signatureOf(op)), ...(wide ? [op.formula] : []), op.summary]),
    { width: Math.min(width, 140), style, indent: 0 },
  );
  const hints = [
    "sluice ops <name> explains one.",
    "Join ops with | for a chain: 'mul(0.5) | leaky_relu(alpha=0.2)'.",
  ];
  return `${table}\n${hints.flatMap((hint) => wrap(hint, width)).join("\n")}\n`;
}

export function renderOp(op: OpDefinition, width: number, style: Style): string {
  const measure = measureOf(width);
  const table = (rows: readonly (readonly [string, string])[]): string =>
    renderTable(
      [{ title: "" }, { title: "", wrapAt: 20 }],
      rows.filter(([, text]) => text !== "").map(([term, text]) => [style.dim(term), text]),
      { width: measure, style, titles: false },
    );
  const heading = (text: string): string => `\n${style.bold(text)}\n`;
  const parts = [
    `${style.bold(signatureOf(op))}\n\n${wrap(op.summary, measure).join("\n")}\n\n`,
    table([
      ["Formula", style.cyan(op.formula)],
      ["Domain", op.domain],
      ["Semantics", op.source],
      ["Elsewhere", op.aliases.length > 0 ? `called ${op.aliases.join(", ")}` : ""],
    ]),
  ];
  if (op.params.length > 0) {
    parts.push(heading("Parameters"));
    parts.push(
      renderTable(
        [{ title: "name" }, { title: "default", align: "right" }, { title: "meaning", wrapAt: 24 }],
        op.params.map((param) => [
          style.cyan(param.name),
          param.default === undefined ? "required" : formatNumber(param.default),
          [param.about, param.aliases?.length ? `Elsewhere called ${param.aliases.join(", ")}.` : ""]
            .join(" ")
            .trim(),
        ]),
        { width: measure, style },
      ),
    );
  }
  const examples = examplesOf(op);
  parts.push(heading("Values in float32"), renderValues(examples[0]!, width, style));
  parts.push(heading("Examples"));
  for (const chain of examples) {
    const quoted = /\W/.test(chain) ? `'${chain}'` : chain;
    parts.push(`  ${style.cyan(`sluice apply ${quoted} in.arrow out.arrow`)}\n`);
  }
  return parts.join("");
}

const POINTS = [-3, -1, -0.5, 0, 0.5, 1, 3, 7];

/** What the chain makes of some numbers. */
function renderValues(chain: string, width: number, style: Style): string {
  const values = Float32Array.from(POINTS);
  evaluate(fuse(parseChain(chain)), "float32", values);
  return renderTable(
    [{ title: "x" }, ...POINTS.map((x) => ({ title: formatValue(x), align: "right" }) as const)],
    [[style.cyan(chain), ...Array.from(values, formatValue)]],
    { width, style },
  );
}

/** Values for parameters that have no default. */
const SAMPLE: Readonly<Record<string, readonly string[]>> = { clamp: ["-1", "1"], threshold: ["0.5", "0"] };

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
