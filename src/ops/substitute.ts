/** @file An op on any expression: how ops are built from ops. */
import { UsageError } from "../errors.ts";
import { unknownParam } from "./bind.ts";
import { type OpDefinition, signatureOf } from "./definition.ts";
import { constant, type Num, type Operand } from "./expr.ts";
import { Interner } from "./intern.ts";

/**
 * The op's expression with `of` in the place of x, and with values or expressions for its parameters.
 *
 * @throws UsageError for a parameter that is unknown or missing
 */
export function substitute(
  op: OpDefinition,
  of: Num,
  params: Readonly<Record<string, Operand | undefined>>,
): Num {
  for (const name of Object.keys(params)) {
    if (op.params.some((spec) => spec.name === name)) continue;
    const { problem, remedy } = unknownParam(op, name);
    throw new UsageError(problem, remedy === undefined ? {} : { remedy });
  }
  const nodes = new Interner();
  const own = (expression: Num): Num => nodes.copy(expression, (leaf) => leaf);
  const before = own(of);
  const values = new Map<string, Num>();
  for (const { name, default: otherwise } of op.params) {
    const value = params[name] ?? otherwise;
    if (value === undefined) {
      throw new UsageError(`${op.name} needs a value for ${name}`, { remedy: `Write ${signatureOf(op)}.` });
    }
    values.set(name, own(typeof value === "number" ? constant(value) : value));
  }
  return nodes.copy(op.expression, (leaf) => {
    if (leaf.kind === "input") return before;
    return leaf.kind === "param" ? values.get(leaf.name)! : leaf;
  });
}
