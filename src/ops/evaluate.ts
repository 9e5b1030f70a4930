/**
 * @file A program in plain JavaScript: the oracle of the tests, and the quickest way through a few elements.
 *
 * The expression becomes a list of steps, one per node, each a loop over a block of elements:
 *
 * ```text
 *   where(gt(x, 0), x, mul(0.1, x))    r0 = x   r1 = 0   m0 = r0 > r1   r1 = 0.1   r1 = r1 * r0   r1 = m0 ? r0 : r1
 * ```
 *
 * A register is used again once its last reader is done, and steps do not nest, so a chain of thousands of ops needs no
 * more memory or stack than a short one.
 *
 * NaN: `where`, `neg` and `abs` work on the bits, and so keep payload and sign, also of signalling NaNs (except that
 * float16 makes them quiet). Any other step with a NaN gives a NaN whose sign and payload the processor chooses.
 */
import { UsageError } from "../errors.ts";
import { computationOf } from "./compute.ts";
import type { Dtype } from "./dtype.ts";
import type { ArithmeticFn, BinaryFn, BitsFn, Mask, Num } from "./expr.ts";
import { float16ToFloat32Bits, float16ToNumber, float32BitsToFloat16, float64ToFloat16 } from "./float16.ts";
import type { Program } from "./program.ts";
import {
  binary,
  combine,
  compare,
  comparison,
  makeRegister,
  type Register,
  type Step,
  select,
  unary,
} from "./steps.ts";
import { type Expr, operands, postorder } from "./walk.ts";

/** Which channel element i of an array is in: `floor((first + i) / stride) % count`. */
export interface ElementChannels {
  readonly count: number;
  readonly stride: number;
  readonly first: number;
}

/** The arrays that hold elements of each dtype; float16 as bit patterns. */
export interface ElementArrays {
  readonly float16: Uint16Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}
type Elements = ElementArrays[Dtype];

/** Elements in one block: registers of this size stay in the processor's first cache. */
const BLOCK = 1024;

/**
 * Replaces each element by the program's output for it.
 *
 * @param elements of the dtype's array type, one array for each input of the program, or the array itself where it has
 *   one input; that of the program's target is overwritten. May lie in shared memory.
 * @param channels needed where the program has parameters per channel.
 * @throws UsageError where the arrays do not fit the dtype or each other, or the channels the program.
 */
export function evaluate<D extends Dtype>(
  program: Program,
  dtype: D,
  elements: ElementArrays[D] | readonly ElementArrays[D][],
  channels?: ElementChannels,
): void {
  const inputs: readonly Elements[] = Array.isArray(elements) ? elements : [elements];
  checkElements(program, dtype, inputs);
  checkChannels(program, channels);
  const target = inputs[program.target]!;
  if (target.length === 0) return;
  const size = Math.min(BLOCK, target.length);
  const { steps, output } = schedule(program, dtype, size, inputs, channels);
  for (let start = 0; start < target.length; start += size) {
    const count = Math.min(size, target.length - start);
    for (const step of steps) step(count, start);
    store(output, target, start, count);
  }
}

/** Things to be used again: the one given back last is the next to be taken. */
class Pool<Thing> {
  readonly #free: Thing[] = [];
  readonly #make: () => Thing;

  constructor(make: () => Thing) {
    this.#make = make;
  }
  take(): Thing {
    return this.#free.pop() ?? this.#make();
  }
  give(thing: Thing): void {
    this.#free.push(thing);
  }
}

/** The steps of a program in order, and the register that holds a block of its output after the last of them. */
function schedule(
  program: Program,
  dtype: Dtype,
  size: number,
  inputs: readonly Elements[],
  channels: ElementChannels | undefined,
): { steps: Step[]; output: Register } {
  const computation = computationOf(program, dtype);
  const order = postorder(computation.output);
  const readers = new Map<Expr, number>();
  for (const node of order) {
    for (const operand of operands(node)) readers.set(operand, (readers.get(operand) ?? 0) + 1);
  }
  const registers = new Pool(() => makeRegister(computation.compute, size));
  const masks = new Pool(() => new Uint8Array(size));
  const registerOf = new Map<Num, Register>();
  const maskOf = new Map<Mask, Uint8Array>();

  // Free after the last reader, whose result may go to the same place: step i reads and writes only element i.
  function read<Node extends Expr, Place>(node: Node, places: Map<Node, Place>, pool: Pool<Place>): Place {
    const place = places.get(node)!;
    const left = readers.get(node)! - 1;
    readers.set(node, left);
    if (left === 0) pool.give(place);
    return place;
  }
  const operand = (node: Num): Register => read(node, registerOf, registers);
  const result = (node: Num): Register => {
    const register = registers.take();
    registerOf.set(node, register);
    return register;
  };

  function stepOf(node: Expr): Step {
    switch (node.kind) {
      case "const": {
        const out = result(node).numbers;
        return (count) => out.fill(node.value, 0, count);
      }
      case "input": {
        const out = result(node);
        const elements = inputs[node.index];
        if (elements) return (count, start) => load(out, elements, start, count);
        return spread(out, program.channels[node.index - program.inputs]!.values, channels!, dtype);
      }
      case "unary": {
        const x = operand(node.x);
        return unary[node.fn as ArithmeticFn | BitsFn](result(node), x);
      }
      case "binary": {
        const a = operand(node.a);
        const b = operand(node.b);
        return combine(result(node), a, b, binary[node.fn as Exclude<BinaryFn, "pow">]);
      }
      case "compare": {
        const a = operand(node.a);
        const b = operand(node.b);
        const out = masks.take();
        maskOf.set(node, out);
        return compare(out, a, b, comparison[node.fn]);
      }
      case "where": {
        const mask = read(node.test, maskOf, masks);
        const a = operand(node.a);
        const b = operand(node.b);
        return select(result(node), mask, a, b);
      }
      case "param":
        throw new UsageError(`the parameter ${node.name} has no value`);
      case "reduce":
      case "rowLength":
        throw new UsageError("an op over rows cannot be computed element by element");
    }
  }

  const steps = order.map(stepOf);
  return { steps, output: registerOf.get(computation.output)! };
}

/** The values of the elements' channels. */
function spread(out: Register, values: readonly number[], channels: ElementChannels, dtype: Dtype): Step {
  // Tables hold float32 for all but float64.
  const rounded = dtype === "float64" ? values : values.map(Math.fround);
  return (count, start) => {
    const first = channels.first + start;
    for (let i = 0; i < count; i++) {
      out.numbers[i] = rounded[Math.floor((first + i) / channels.stride) % channels.count]!;
    }
  };
}

function load(out: Register, elements: Elements, start: number, count: number): void {
  if (!(elements instanceof Uint16Array)) {
    out.numbers.set(elements.subarray(start, start + count));
  } else if (out.shift === 0) {
    for (let i = 0; i < count; i++) out.words[i] = float16ToFloat32Bits(elements[start + i]!);
  } else {
    for (let i = 0; i < count; i++) out.numbers[i] = float16ToNumber(elements[start + i]!);
  }
}

function store(from: Register, elements: Elements, start: number, count: number): void {
  if (!(elements instanceof Uint16Array)) {
    elements.set(from.numbers.subarray(0, count), start);
  } else if (from.shift === 0) {
    for (let i = 0; i < count; i++) elements[start + i] = float32BitsToFloat16(from.words[i]!);
  } else {
    for (let i = 0; i < count; i++) elements[start + i] = float64ToFloat16(from.numbers[i]!);
  }
}

function checkElements(program: Program, dtype: Dtype, inputs: readonly unknown[]): void {
  const [type, constructor] = {
    float16: ["a Uint16Array of bit patterns", Uint16Array] as const,
    float32: ["a Float32Array", Float32Array] as const,
    float64: ["a Float64Array", Float64Array] as const,
  }[dtype];
  if (inputs.length !== program.inputs) {
    throw new UsageError(`the program reads ${program.inputs} arrays, but ${inputs.length} are given`);
  }
  const lengths = inputs.map((elements) => {
    if (!(elements instanceof constructor)) throw new UsageError(`elements of ${dtype} must be in ${type}`);
    return elements.length;
  });
  if (new Set(lengths).size === 1) return;
  throw new UsageError(`the arrays have different lengths: ${lengths.join(" and ")}`);
}

function checkChannels(program: Program, channels: ElementChannels | undefined): void {
  const [param] = program.channels;
  if (param === undefined) return;
  const remedy = "Give one number, or one per channel of the last axis.";
  if (channels === undefined) {
    throw new UsageError(`${param.name} has one value per channel, but the tensor has no channels`, {
      remedy,
    });
  }
  const { count, stride, first } = channels;
  if (!(Number.isSafeInteger(stride) && stride >= 1 && Number.isSafeInteger(first) && first >= 0)) {
    throw new UsageError(`channels cannot have stride ${stride} and start at element ${first}`);
  }
  for (const { name, values } of program.channels) {
    if (values.length === count) continue;
    throw new UsageError(`${name} has ${values.length} values, but the tensor has ${count} channels`, {
      remedy,
    });
  }
}
