/**
 * @file How a user defines an op, and how names find ops.
 *
 * ```ts
 * const kink = defineOp("my_kink", { slope: 0.1 }, (x, { slope }) => max(x, mul(slope, x)));
 * parseChain("my_kink(slope=0.5) | relu6");
 * bind(kink, { slope: 0.5 });
 * ```
 */
import { UsageError } from "../errors.ts";
import { faultInValue } from "./bind.ts";
import { catalog } from "./catalog/index.ts";
import { type About, createOp, type OpDefinition, type ParamOptions, type Params } from "./definition.ts";
import type { Input, Operand } from "./expr.ts";
import { quote } from "./formula.ts";
import { nearest } from "./suggest.ts";

export { bind, type ParamInput } from "./bind.ts";
export type {
  About,
  BoundOp,
  OpDefinition,
  ParamOptions,
  ParamSpec,
  Params,
  ParamValue,
} from "./definition.ts";

const builtIn: ReadonlyMap<string, OpDefinition> = new Map(Object.entries(catalog));
const defined = new Map<string, OpDefinition>();

/** The op that chains know by this name. */
export function findOp(name: string): OpDefinition | undefined {
  return builtIn.get(name) ?? defined.get(name);
}

/** Every op of the process: the catalog, then the user's, in the order of their definition. */
export function allOps(): OpDefinition[] {
  return [...builtIn.values(), ...defined.values()];
}

/** The name of the op that was probably meant. */
export function nearestOp(name: string): string | undefined {
  return nearest(name, allOps());
}

/**
 * Defines an op of your own and makes its name known to chains, for the life of the process.
 *
 * @param name in snake_case, and not the name of another op.
 * @param defaults each parameter with its default, or with `{ default, perChannel, about, ... }`; one without a default
 *   is required.
 * @param build gives the expression, from `x` and from the parameters by name.
 * @param about texts for `sluice ops`; the formula is written from the expression where it is left out.
 * @throws UsageError where a name is unfit or taken, a default is no value, or `build` gives no expression.
 */
export function defineOp<const Options extends Readonly<Record<string, ParamOptions>>>(
  name: string,
  defaults: Options,
  build: (x: Input, params: Params<Options>) => Operand,
  about?: About,
): OpDefinition<keyof Options & string> {
  checkName(name, "an op");
  if (findOp(name) !== undefined) {
    throw new UsageError(`there is an op ${quote(name)} already`, {
      remedy: `Choose another name, as my_${name}.`,
    });
  }
  for (const param of Object.keys(defaults)) checkName(param, `a parameter of ${name}`);
  if (Object.hasOwn(defaults, "x")) {
    throw new UsageError(`a parameter of ${name} is called x, as its input is`, { remedy: "Rename it." });
  }
  const op = createOp(name, defaults, build, about);
  for (const spec of op.params) {
    const fault = spec.default === undefined ? undefined : faultInValue(op, spec, spec.default);
    if (fault !== undefined) throw new UsageError(`the default of ${fault}`);
  }
  defined.set(name, op);
  return op;
}

function checkName(name: unknown, what: string): void {
  if (typeof name === "string" && /^[a-z][a-z0-9_]*$/.test(name)) return;
  throw new UsageError(`${quote(name)} cannot be the name of ${what}`, {
    remedy: "Use snake_case: lower-case letters, digits and _, with a letter first.",
  });
}
