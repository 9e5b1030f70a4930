/**
 * @file The compiler from programs to WebAssembly SIMD: one module a kernel, with one function that computes an array in
 * place.
 *
 * ```text
 *   Program --lower.ts--> vector code --emit.ts--> instructions, in the loops of this file --assembler.ts--> bytes
 * ```
 *
 * NaN: a NaN stays a NaN. Which one is up to the processor where arithmetic (also sqrt, min, max and the roundings) makes
 * it or passes it on: WebAssembly promises a quiet NaN of either sign, with an empty payload if no operand's payload had
 * more (Core Specification 4.3.3, "NaN Propagation"); x86-64 and arm64 keep the first NaN operand and make it quiet.
 * neg, abs, where and a plain copy work on bits everywhere. float16 results are always quiet.
 */

import { UnsupportedError } from "../errors.ts";
import type { Dtype } from "../ops/dtype.ts";
import type { Program } from "../ops/program.ts";
import { BLOCK } from "../ops/shards.ts";
import { type Access, LAYOUTS, type Layout } from "./access.ts";
import { importArena } from "./arena-import.ts";
import { type FunctionAssembler, ModuleAssembler } from "./assembler.ts";
import { countInstructions, Emitter, type Root, selects } from "./emit.ts";
import { fmaOf, type WriteFma } from "./fma.ts";
import { lower } from "./lower.ts";
import type { MultiplyAdd } from "./multiply-add.ts";
import { writeSumLoops } from "./sum-loops.ts";
import type { Load, Value } from "./vector-code.ts";

/** Most channel parameters of a program: each is a parameter of the function, and V8 allows 1000. */
export const MOST_CHANNELS = 256;

/**
 * Compiles `program` for arrays of `dtype`: the bytes of a module that imports a shared memory as `env.memory` and
 * exports `run(count, input0, ..., channel0, channel1, ..., terms)`.
 *
 * `run` reads `count` elements at the byte address of each input, and replaces those of the program's target. `channel_k`
 * is the byte address of `count` values of channel parameter k, one for each element: float32, or float64 for float64
 * arrays. All arguments are unsigned 32-bit integers, addresses need no alignment, and an array may end with the memory's
 * last byte. Nothing else is written. An array that reaches over the end of the memory is a `WebAssembly.RuntimeError`,
 * with the elements before the end done.
 *
 * A program with sums has the parameter `terms`: the terms of sum k go there as float64, `BLOCK` times k elements further
 * on, for at most `BLOCK` elements. Its module also exports the loops of `sum-loops.ts`.
 *
 * @param path which multiply-add functions are made of, to the same bits; left out, the faster one that there is
 * @throws UnsupportedError for more than `MOST_CHANNELS` channel parameters or `MOST_VALUES` steps
 * @throws UsageError for a program that reads a parameter, or an input that is none of its channels
 */
export function compileKernel(program: Program, dtype: Dtype, path?: MultiplyAdd): Uint8Array<ArrayBuffer> {
  const channels = program.channels.length;
  if (channels > MOST_CHANNELS) {
    throw new UnsupportedError(
      `The chain has ${channels} per-channel parameters, more than ${MOST_CHANNELS}`,
      {
        remedy: "Split the chain, and run its parts one after the other.",
      },
    );
  }
  const module = new ModuleAssembler();
  importArena(module);
  const hasSums = program.sums.length > 0;
  const addresses = Array.from(
    { length: program.inputs + channels + (hasSums ? 1 : 0) },
    () => "i32" as const,
  );
  const code = module.function(["i32", ...addresses], [], "run");
  writeLoops(code, program, dtype, fmaOf(module, path));
  if (hasSums) writeSumLoops(module);
  return module.bytes();
}

/** Parameter 0 of the function; the addresses follow. */
const COUNT = 0;
const addressOf = (input: number): number => 1 + input;
const TERM_BYTES = 8;

/** Most of the elements in turns of several vectors, then vectors, then single elements, all by the same vector code. */
function writeLoops(code: FunctionAssembler, program: Program, dtype: Dtype, fma: WriteFma): void {
  const { inputs, target, channels } = program;
  const { lanes, x, channel }: Layout = LAYOUTS[dtype];
  const { output, terms } = lower(program, dtype);
  const values = [...terms.flat(), output];
  const emitter = new Emitter(code, fma);
  emitter.hoist(values);
  const arrays = inputs + channels.length;
  const accessOf = (input: number): Access => (input < inputs ? x : channel);
  const termsAddress = addressOf(arrays);

  const offsetOf = (input: number, copy: number): number => copy * lanes * accessOf(input).bytes;
  const load = ({ index, half }: Load, copy: number): void => {
    code.get(addressOf(index));
    if (half === undefined) code.memory(accessOf(index).load, offsetOf(index, copy));
    else code.memory("v128.load64_zero", offsetOf(index, copy) + 8 * half);
  };
  const loadOne = ({ index }: Load): void => void code.get(addressOf(index)).memory(accessOf(index).loadOne);
  const storeAt = (address: number, value: Value, after: Root["after"]): Root => {
    return { value, before: () => code.get(address), after };
  };
  // The output comes last: it may replace what the terms read.
  const vector = [
    ...terms.flatMap((parts, sum) =>
      parts.map((value, part) => {
        const offset = (copy: number): number => (sum * BLOCK + copy * lanes + 2 * part) * TERM_BYTES;
        return storeAt(termsAddress, value, (copy) => code.memory("v128.store", offset(copy)));
      }),
    ),
    storeAt(addressOf(target), output, (copy) => code.memory(x.store, offsetOf(target, copy))),
  ];
  // Of each term the first half alone.
  const element = [
    ...terms.map((parts, sum) =>
      storeAt(termsAddress, parts[0]!, () => code.memory("v128.store64_lane", sum * BLOCK * TERM_BYTES)),
    ),
    storeAt(addressOf(target), output, () => code.memory(x.storeOne)),
  ];

  /** Several vectors, of which none is stored before all are computed. */
  const together = (vectors: number): void => {
    const results = Array.from({ length: vectors }, () => code.local("v128"));
    const root: Root = { value: output, after: (copy) => code.set(results[copy]!) };
    for (let copy = 0; copy < vectors; copy++) emitter.emit([root], load, copy);
    results.forEach((result, copy) => {
      code.get(addressOf(target)).get(result).memory(x.store, offsetOf(target, copy));
    });
  };

  const turns: { readonly elements: number; readonly body: () => void }[] = [
    { elements: lanes, body: () => emitter.emit(vector, load) },
    { elements: 1, body: () => emitter.emit(element, loadOne) },
  ];
  const vectors = unroll(countInstructions(values));
  if (terms.length === 0 && areTogether(values)) {
    turns.unshift({ elements: 2 * lanes, body: () => together(2) });
  } else if (vectors > 1) {
    turns.unshift({
      elements: vectors * lanes,
      body: () => {
        for (let copy = 0; copy < vectors; copy++) emitter.emit(vector, load, copy);
      },
    });
  }
  for (const { elements, body } of turns) {
    code.block().loop();
    code.get(COUNT).i32(elements).op("i32.lt_u").brIf(1);
    body();
    code.get(COUNT).i32(elements).op("i32.sub").set(COUNT);
    // Counting down instead of comparing addresses: behind the memory's last byte an address wraps to 0.
    const advance = (address: number, bytes: number): void => {
      code
        .get(address)
        .i32(elements * bytes)
        .op("i32.add")
        .set(address);
    };
    for (let input = 0; input < arrays; input++) advance(addressOf(input), accessOf(input).bytes);
    if (terms.length > 0) advance(termsAddress, TERM_BYTES);
    code.br(0).end().end();
  }
}

/**
 * Whether two vectors are computed together, so that V8 mixes their steps, where one waits for the one before as in
 * functions. As measured: from the length of `gelu_tanh` on it is up to a third faster. Shorter ones fit twice into what
 * the processor looks ahead anyway; and where lanes are selected, that takes registers, which longer ones have not.
 */
function areTogether(roots: readonly Value[]): boolean {
  const instructions = countInstructions(roots);
  return instructions > 41 && instructions <= (selects(roots) ? 60 : 128);
}

/**
 * Vectors in one turn of the main loop. The turn itself costs about six instructions (count, addresses, the engine's
 * check for interruption), which matter only beside few others.
 */
function unroll(instructions: number): number {
  if (instructions <= 4) return 8;
  if (instructions <= 16) return 4;
  return instructions <= 64 ? 2 : 1;
}
