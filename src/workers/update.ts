/**
 * @file Kernels that update several float32 arrays at once, element by element: the parameters and the state of an
 * optimiser.
 *
 * ```ts
 * // SGD with momentum: inputs are the parameter, its gradient and the momentum, then the scalar lr.
 * const moved = add(mul(input(2), 0.9), input(1));
 * const update = { inputs: 3, scalars: 1, outputs: [
 *   { target: 0, value: sub(input(0), mul(input(3), moved)) },
 *   { target: 2, value: moved },
 * ] };
 * const run = openUpdate(memory, compileUpdate(update));
 * run(count, parameter, gradient, momentum, scalars);
 * ```
 */

import { UsageError } from "../errors.ts";
import { isTranscendental } from "../ops/expand.ts";
import { isBits, type Num } from "../ops/expr.ts";
import { type Expr, postorder } from "../ops/walk.ts";
import { LAYOUTS } from "./access.ts";
import { importArena } from "./arena-import.ts";
import { type FunctionAssembler, ModuleAssembler } from "./assembler.ts";
import { countInstructions, Emitter, type Root } from "./emit.ts";
import { lowerInto } from "./lower.ts";
import { type Load, VectorCode } from "./vector-code.ts";

/** What becomes of each element of several arrays. */
export interface Update {
  /** Arrays: `input(i)` is the element of array i. */
  readonly inputs: number;
  /** Numbers for all elements, read when the kernel runs: `input(inputs + s)` is scalar s. */
  readonly scalars: number;
  /** Arrays that are replaced, in place. Values are of the elements as they were, whatever the order of the outputs. */
  readonly outputs: readonly { readonly target: number; readonly value: Num }[];
}

const FLOAT_BYTES = 4;
const { lanes: LANES, x: ACCESS } = LAYOUTS.float32;
/** Up to so many instructions a vector, two vectors go in one turn of the loop. */
const MOST_UNROLLED = 32;

/**
 * Compiles an update: the bytes of a module that imports a shared memory as `env.memory` and exports
 * `run(count, input0, input1, …, scalars)`.
 *
 * `run` takes the byte addresses of `count` elements of each array, and of the scalars, one float32 after the other. Arrays may
 * be the same, but must not overlap otherwise; addresses need no alignment. Every step is computed in float32 and rounded
 * once, as PyTorch's optimisers do it. Nothing but the targets is written.
 *
 * @throws UsageError for what is not arithmetic of one element (add, sub, mul, div, min, max, neg, abs, sqrt, roundings,
 *   comparisons and where), or reads an input that there is not
 */
export function compileUpdate(update: Update): Uint8Array<ArrayBuffer> {
  check(update);
  const module = new ModuleAssembler();
  importArena(module);
  const parameters = 1 + update.inputs + (update.scalars > 0 ? 1 : 0);
  const code = module.function(
    Array.from({ length: parameters }, () => "i32" as const),
    [],
    "run",
  );
  writeLoops(code, update);
  return module.bytes();
}

/** The last argument, the address of the scalars, is ignored where there are none. */
export type RunUpdate = (count: number, ...addresses: readonly number[]) => void;

/** The update's `run` in this thread. */
export function openUpdate(memory: WebAssembly.Memory, code: Uint8Array<ArrayBuffer>): RunUpdate {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return instance.exports.run as RunUpdate;
}

/** Parameter 0 of the function; the addresses follow. */
const COUNT = 0;
const addressOf = (input: number): number => 1 + input;

function writeLoops(code: FunctionAssembler, { inputs, scalars, outputs }: Update): void {
  const graph = new VectorCode();
  const values = lowerInto(
    graph,
    outputs.map(({ value }) => value),
    "float32",
    (index) => graph.load(index),
  );
  const emitter = new Emitter(code);
  emitter.hoist(values);
  const held = Array.from({ length: scalars }, (_, scalar) => {
    const local = code.local("v128");
    code
      .get(addressOf(inputs))
      .memory("v128.load32_splat", scalar * FLOAT_BYTES)
      .set(local);
    return local;
  });
  const results = values.map(() => code.local("v128"));
  // All outputs of an element are computed before one is stored.
  const roots = values.map((value, output): Root => ({ value, after: () => code.set(results[output]!) }));
  const load =
    (op: typeof ACCESS.load) =>
    ({ index }: Load, copy: number): void => {
      if (index >= inputs) code.get(held[index - inputs]!);
      else code.get(addressOf(index)).memory(op, copy * LANES * FLOAT_BYTES);
    };
  const store = (op: typeof ACCESS.store, copy: number): void => {
    for (const [output, { target }] of outputs.entries()) {
      code
        .get(addressOf(target))
        .get(results[output]!)
        .memory(op, copy * LANES * FLOAT_BYTES);
    }
  };
  const vectors = (count: number) => ({
    elements: count * LANES,
    body: (): void => {
      for (let copy = 0; copy < count; copy++) {
        emitter.emit(roots, load(ACCESS.load), copy);
        store(ACCESS.store, copy);
      }
    },
  });
  const element = (): void => {
    emitter.emit(roots, load(ACCESS.loadOne));
    store(ACCESS.storeOne, 0);
  };
  const turns = [
    ...(countInstructions(values) <= MOST_UNROLLED ? [vectors(2)] : []),
    vectors(1),
    { elements: 1, body: element },
  ];
  for (const { elements, body } of turns) {
    code.block().loop();
    code.get(COUNT).i32(elements).op("i32.lt_u").brIf(1);
    body();
    code.get(COUNT).i32(elements).op("i32.sub").set(COUNT);
    for (let input = 0; input < inputs; input++) {
      code
        .get(addressOf(input))
        .i32(elements * FLOAT_BYTES)
        .op("i32.add")
        .set(addressOf(input));
    }
    code.br(0).end().end();
  }
}

function check({ inputs, scalars, outputs }: Update): void {
  for (const { target, value } of outputs) {
    if (!(Number.isInteger(target) && target >= 0 && target < inputs)) {
      throw new UsageError(`an update writes array ${target} of ${inputs}`);
    }
    for (const node of postorder(value)) {
      if (node.kind === "input" && !(node.index >= 0 && node.index < inputs + scalars)) {
        throw new UsageError(`an update reads input ${node.index} of ${inputs + scalars}`);
      }
      if (!isArithmetic(node)) throw new UsageError(`an update cannot compute ${nameOf(node)}`);
    }
  }
}

/** What is computed in float32 in one step. */
function isArithmetic(node: Expr): boolean {
  switch (node.kind) {
    case "unary":
      return !isTranscendental(node.fn) && !isBits(node.fn) && node.fn !== "detach";
    case "binary":
      return node.fn !== "pow" && node.fn !== "derived_as";
    case "fma":
    case "param":
    case "reduce":
    case "rowLength":
      return false;
    default:
      return true;
  }
}

function nameOf(node: Expr): string {
  if (node.kind === "param") return `the parameter ${node.name}`;
  return "fn" in node ? node.fn : node.kind;
}
