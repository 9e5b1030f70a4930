/**
 * @file Expressions as the text of gpu.js kernels: one `const` a node, so that what is shared is computed once.
 *
 * ```text
 *   where(gt(x, 0), x, mul(0.1, x))      const v1 = x0[i];
 *                                        const v2 = this.constants.values[0] * v1;
 *                                        const v3 = v1 > 0 ? v1 : v2;
 * ```
 *
 * What the text must mind:
 * - Compilers calculate with the constants that they see, by rules that do not hold in floating point: `x + 0` becomes x,
 *   `0 * x` becomes 0, `x * 0.5 * 0.3` becomes `x * 0.15`. So a constant that is added, multiplied or divided by stands
 *   in an array, where no compiler sees it. Within functions, whose results are rounded anyway, only zeros do.
 * - gpu.js writes infinities as the largest finite number, and cannot write NaN: they stand in the array too.
 * - WGSL's comparisons are all false for NaN, `!=` as well; so `ne` is `!(a === b)`. Its `min`, `max` and `sign` may give
 *   any number for NaN; so there are comparisons in their place, and where none holds, a sum that hands NaN on.
 * - gpu.js' `Math.round` takes halves upwards.
 */
import { UsageError } from "../errors.ts";
import { isTranscendental } from "../ops/expand.ts";
import type { BinaryFn, Comparison, Num, Transcendental, UnaryFn } from "../ops/expr.ts";
import * as e from "../ops/expr.ts";
import { Interner } from "../ops/intern.ts";
import { type Expr, postorder } from "../ops/walk.ts";
import { functions, pow } from "./functions/index.ts";
import { HELPERS, NEEDS } from "./helpers.ts";
import type { ArgumentKind, KernelConstant, KernelSource } from "./kernel-source.ts";

export type Parameter = readonly [name: string, kind: ArgumentKind];
/** How an input is read: `x0[i]`. */
export type ReadInput = (index: number) => string;

const INFIX: Readonly<Partial<Record<BinaryFn, string>>> = { add: "+", sub: "-", mul: "*", div: "/" };
const COMPARISONS: Readonly<Record<Exclude<Comparison, "ne">, string>> = {
  ...{ lt: "<", le: "<=", gt: ">", ge: ">=" },
  eq: "===",
};

/** What gpu.js can write out: no infinity, no NaN, no -0, and nothing that a device takes for 0. */
const isWritable = (value: number): boolean =>
  value === 0 ? Object.is(value, 0) : Math.abs(value) >= 2 ** -126 && Math.abs(value) < 2 ** 128;

/** 2^n for n from -127, where it is 0, to 128, where it is Infinity. */
const POWERS = Float32Array.from({ length: 256 }, (_, i) => (i === 0 ? 0 : 2 ** (i - 127)));

/** A kernel's text in the making: its functions and its constants. */
export class KernelText {
  readonly #functions = new Map<string, string>();
  readonly #values: number[] = [];
  readonly #constants: Record<string, KernelConstant> = {};

  /** `floor(a / b)` of whole numbers, for a from 0 to 2^31 - 1 and b from 1 to 2^30. */
  quotient(a: string, b: string | number): string {
    return this.call("quotient", a, integer(b));
  }

  /** `a - b * floor(a / b)` of the same. */
  remainder(a: string, b: string | number): string {
    return this.call("remainder", a, integer(b));
  }

  /** An array that the kernel reads as `this.constants.name`. */
  array(name: string, values: Float32Array): void {
    this.#constants[name] = values;
  }

  /** The lines that compute expressions, and what they are called. */
  compute(roots: readonly Num[], read: ReadInput): { readonly lines: string[]; readonly names: string[] } {
    const writer = new Writer(this, read, false);
    writer.write(roots);
    return { lines: writer.lines, names: roots.map((root) => writer.value(root)) };
  }

  /** @param parameters of the kernel, in order; `body` ends with a `return` */
  build(parameters: readonly Parameter[], body: readonly string[]): KernelSource {
    const names = parameters.map(([name]) => name).join(", ");
    if (this.#values.length > 0) this.#constants.values = Float32Array.from(this.#values);
    return {
      source: `function (${names}) {\n${indent(body)}\n}`,
      functions: [...this.#functions.values()],
      constants: this.#constants,
      arguments: parameters.map(([, kind]) => kind),
    };
  }

  /** A function of the kernel's own. */
  declare(name: string, text: string): void {
    this.#functions.set(name, text);
  }

  /** A constant that compilers do not see. Each has a place of its own, or they would see that `(x - c) + c` is x. */
  hidden(value: number): string {
    const at = this.#values.push(Math.fround(value)) - 1;
    return `this.constants.values[${at}]`;
  }

  /** 2^n. */
  power(n: string): string {
    this.array("powers", POWERS);
    return `this.constants.powers[${n} + 127]`;
  }

  call(fn: string, ...operands: readonly string[]): string {
    return `${this.#helper(fn)}(${operands.join(", ")})`;
  }

  /** A function of the expression language, of one number; or a power, whose exponent is known or a second number. */
  callFunction(fn: Transcendental | "pow", operands: readonly string[], power?: number): string {
    const name = `${fn.replace("_", "")}${power === undefined ? "" : `To${this.#nameOf(power)}`}Of`;
    if (!this.#functions.has(name)) {
      const y = power === undefined ? e.input(1) : e.constant(power);
      const expansion = fn === "pow" ? pow(e.x, y) : functions[fn](e.x);
      const parameters = operands.map((_, i) => `x${i}`);
      const writer = new Writer(this, (index) => parameters[index]!, true);
      const shared = new Interner().copy(expansion, (leaf) => leaf);
      writer.write([shared]);
      const lines = [...writer.lines, `return ${writer.value(shared)};`];
      this.#functions.set(name, `function ${name}(${parameters.join(", ")}) {\n${indent(lines)}\n}`);
    }
    return `${name}(${operands.join(", ")})`;
  }

  readonly #powers: number[] = [];

  /** Names of functions hold letters and digits alone. */
  #nameOf(power: number): string {
    const at = this.#powers.indexOf(power);
    return `C${at < 0 ? this.#powers.push(power) - 1 : at}`;
  }

  #helper(name: string): string {
    for (const need of NEEDS[name] ?? []) this.#helper(need);
    if (!this.#functions.has(name)) this.#functions.set(name, HELPERS[name]!);
    if (HELPERS[name]!.includes("constants.powers")) this.array("powers", POWERS);
    return name;
  }
}

/** gpu.js hands a literal over as a float, and what a bit operator gives as an integer. */
const integer = (b: string | number): string => (typeof b === "number" ? `(${b} | 0)` : b);

/** Where a constant stands: only compared, chosen or handed over, or calculated with. */
type Place = "kept" | "calculated";

/** Writes the nodes of expressions, each once. */
class Writer {
  readonly lines: string[] = [];
  readonly #text: KernelText;
  readonly #read: ReadInput;
  readonly #isFunction: boolean;
  readonly #names = new Map<Expr, string>();

  constructor(text: KernelText, read: ReadInput, isFunction: boolean) {
    this.#text = text;
    this.#read = read;
    this.#isFunction = isFunction;
  }

  write(roots: readonly Num[]): void {
    for (const node of postorder(...roots)) {
      // gpu.js takes the truth of `a <= b` for a number where it is kept in a variable.
      if (node.kind === "const" || node.kind === "compare") continue;
      if (this.#isFunction && node.kind === "input") {
        this.#names.set(node, this.#read(node.index));
        continue;
      }
      const name = `v${this.#names.size}`;
      this.lines.push(`const ${name} = ${this.#expression(node)};`);
      this.#names.set(node, name);
    }
  }

  value(node: Num, place: Place = "kept"): string {
    if (node.kind !== "const") return this.#names.get(node)!;
    const value = Math.fround(node.value);
    const isVisible = place === "kept" || (this.#isFunction && value !== 0);
    return isVisible && isWritable(value) ? String(value) : this.#text.hidden(value);
  }

  #test({ fn, a, b }: e.Mask): string {
    const [left, right] = [this.value(a), this.value(b)];
    return fn === "ne" ? `!(${left} === ${right})` : `${left} ${COMPARISONS[fn]} ${right}`;
  }

  #expression(node: Exclude<Num, e.Const>): string {
    switch (node.kind) {
      case "input":
        return this.#read(node.index);
      case "unary":
        return this.#unary(node.fn, node.x);
      case "binary":
        return this.#binary(node);
      case "where":
        return `${this.#test(node.test)} ? ${this.value(node.a)} : ${this.value(node.b)}`;
      case "fma":
        throw new UsageError("a GPU has no fma");
      case "param":
        throw new UsageError(`the parameter ${node.name} has no value`);
      case "reduce":
      case "rowLength":
        throw new UsageError("an op over rows cannot be computed element by element");
    }
  }

  #unary(fn: UnaryFn, x: Num): string {
    if (fn === "neg") return `-${this.value(x, "calculated")}`;
    const operand = this.value(x);
    if (isTranscendental(fn)) return this.#text.callFunction(fn, [operand]);
    switch (fn) {
      case "abs":
      case "sqrt":
      case "floor":
      case "ceil":
        return `Math.${fn}(${operand})`;
      case "round":
        return this.#text.call("roundToEven", operand);
      case "pow2":
        return this.#text.power(operand);
      case "exponent":
      case "significand":
        return this.#text.call(fn, operand);
      case "detach":
        return operand;
      default:
        throw new UsageError(`a GPU has no ${fn}`);
    }
  }

  #binary({ fn, a, b }: e.Binary): string {
    if (fn === "derived_as") return this.value(a);
    if (fn === "min" || fn === "max") {
      return this.#text.call(
        fn === "min" ? "least" : "most",
        this.value(a, "calculated"),
        this.value(b, "calculated"),
      );
    }
    if (fn === "pow") {
      if (b.kind === "const") return this.#text.callFunction("pow", [this.value(a)], b.value);
      return this.#text.callFunction("pow", [this.value(a), this.value(b)]);
    }
    return `${this.value(a, "calculated")} ${INFIX[fn]} ${this.value(b, "calculated")}`;
  }
}

const indent = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join("\n");
