/** @file `sluice ops [name]`: the catalog, or one op explained. */
import { UsageError } from "../errors.ts";
import { arithmetic } from "../ops/catalog/arithmetic.ts";
import { elementary } from "../ops/catalog/elementary.ts";
import { piecewise } from "../ops/catalog/piecewise.ts";
import { rowWise } from "../ops/catalog/row-wise.ts";
import { smooth } from "../ops/catalog/smooth.ts";
import { type OpDefinition, signatureOf } from "../ops/definition.ts";
import { allOps, nearestOp } from "../ops/op.ts";
import type { Run } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { renderOp } from "./op-page.ts";
import { print, toJson } from "./print.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { renderTable } from "./table.ts";
import { wrap } from "./text.ts";

const OPS: readonly OpDefinition[] = allOps();

interface Kind {
  /** For scripts. */
  readonly name: string;
  readonly title: string;
  readonly ops: Readonly<Record<string, OpDefinition>>;
}

/** The parts of the catalog, in the order of the list. */
const KINDS: readonly Kind[] = [
  { name: "piecewise", title: "Rectifiers and other activations of straight pieces", ops: piecewise },
  { name: "smooth", title: "Smooth activations", ops: smooth },
  { name: "row-wise", title: "Over the rows of the last axis", ops: rowWise },
  { name: "elementary", title: "Elementary functions", ops: elementary },
  { name: "arithmetic", title: "Arithmetic", ops: arithmetic },
];

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
  kind: KINDS.find(({ ops }) => Object.hasOwn(ops, op.name))?.name,
});

/** The whole catalog by kind, a line each; with formulas where the lines are long enough. */
export function renderOps(ops: readonly OpDefinition[], width: number, style: Style): string {
  const parts = KINDS.map(({ title, ops: own }) => {
    const members = ops.filter((op) => Object.hasOwn(own, op.name));
    return `${wrap(title, width).map(style.bold).join("\n")}\n${renderKind(members, width, style)}\n`;
  });
  const hints = [
    "sluice ops <name> explains one; sluice plot <name> draws its curve.",
    "Join ops with | for a chain: 'mul(0.5) | leaky_relu(alpha=0.2)'.",
  ];
  return `${parts.join("")}${hints.flatMap((hint) => wrap(hint, width)).join("\n")}\n`;
}

/** Cells of a formula beyond which the list leaves it to the op's own page. */
const LONGEST_FORMULA = 46;

function renderKind(ops: readonly OpDefinition[], width: number, style: Style): string {
  const wide = width >= 120;
  const formula = (op: OpDefinition): string => (op.formula.length <= LONGEST_FORMULA ? op.formula : "");
  return renderTable(
    [{ title: "op" }, ...(wide ? [{ title: "formula" }] : []), { title: "computes", wrapAt: 24 }],
    ops.map((op) => [style.cyan(signatureOf(op)), ...(wide ? [formula(op)] : []), op.summary]),
    { width: Math.min(width, 150), style, titles: false },
  );
}
