/**
 * @file The sums of a program, in part on the device: a thread adds up to 256 terms in float32, and the host adds what the
 * threads give, in float64.
 *
 * ```text
 *   one sum for all           thread t takes elements t, t + threads, t + 2 * threads, …
 *   channels, short stride    thread t takes elements t, t + period, t + 2 * period, … which are in the same channel
 *   channels, long stride     threads 2 b and 2 b + 1 take block b of neighbours, before and after the end of a channel
 * ```
 *
 * Terms are added in groups of 16, and the groups' sums then: so a term goes through 31 additions at most, and a partial sum
 * is off by at most 31 * 2^-24 of the sum of the terms' sizes. Nothing that makes good what additions lose is relied upon:
 * compilers simplify it away.
 */
import type { Channels } from "../formats/layout.ts";
import type { Num } from "../ops/expr.ts";
import type { Program } from "../ops/program.ts";
import { type Elements, elementsOf, type RowValues } from "./elements.ts";
import type { Flat, KernelStep } from "./kernel-source.ts";
import { KernelText } from "./source.ts";

/** Terms that a thread adds, at most. */
const TERMS = 256;
const GROUP = 16;
/** From this stride on, neighbours are added. */
const LONG = 32;

/**
 * The step that adds up sum `index` of the program.
 *
 * @param term of the sum, over the program's inputs and those of `rows`
 */
export function sumStep(
  program: Program,
  index: number,
  term: Num,
  channels: Channels | null,
  rows?: RowValues,
): KernelStep {
  const shares = sharesOf(program.sums[index]!.perChannel ? channels : null);
  const elements = elementsOf(program, channels, rows, "table", shares.takes);
  return {
    kernel: kernelOf(elements, term, shares),
    reads: elements.reads,
    takes: elements.takes,
    resultLength: shares.threads,
    result: { kind: "sum", index, add: shares.add },
  };
}

/** How the terms are shared among threads. */
interface Shares {
  readonly takes: readonly (keyof Flat)[];
  /** Terms of a thread. */
  readonly terms: number;
  threads(flat: Flat): number;
  /** The element that is term number `k` of thread `this.thread.x`. It counts if it is below `length`. */
  element(text: KernelText, k: string): string;
  /** A condition that must hold as well, and before `element` can be computed. */
  readonly only?: (text: KernelText, k: string) => string;
  add(partial: Float32Array, flat: Flat, totals: Float64Array): void;
}

function sharesOf(channels: Channels | null): Shares {
  if (!channels || channels.count === 1) return ofAll;
  return channels.stride < LONG ? byPlace(channels) : byBlock(channels);
}

const ofAll: Shares = {
  takes: ["length"],
  terms: TERMS,
  threads: ({ length }) => Math.ceil(length / TERMS),
  element: (_, k) => `this.thread.x + ${k} * this.output.x`,
  add(partial, _, totals) {
    for (const sum of partial) totals[0]! += sum;
  },
};

function byPlace({ count, stride }: Channels): Shares {
  const period = count * stride;
  const turn = (text: KernelText, k: string): string =>
    `${text.quotient("this.thread.x", period)} * ${TERMS} + ${k}`;
  return {
    takes: ["length"],
    terms: TERMS,
    threads({ length }) {
      const turns = Math.ceil(length / period);
      return Math.min(period, length) * Math.ceil(turns / TERMS);
    },
    element: (text, k) => `${text.remainder("this.thread.x", period)} + (${turn(text, k)}) * ${period}`,
    // Beyond, the product with the period could be no whole number of 32 bits.
    only: (text, k) => `${turn(text, k)} <= ${text.quotient("length", period)}`,
    add(partial, { channel, within }, totals) {
      const first = channel * stride + within;
      for (let i = 0; i < partial.length; i++) {
        totals[Math.floor(((first + i) % period) / stride)]! += partial[i]!;
      }
    },
  };
}

function byBlock({ count, stride }: Channels): Shares {
  // At most one channel ends in a block.
  const size = Math.min(TERMS, 2 ** Math.floor(Math.log2(stride)));
  const block = "(this.thread.x >> 1)";
  const end = (text: KernelText): string =>
    `(${text.quotient(`${block} * ${size} + within`, stride)} + 1) * ${stride} - within`;
  const element = (_: KernelText, k: string): string => `${block} * ${size} + ${k}`;
  return {
    takes: ["length", "within"],
    terms: size,
    threads: ({ length }) => 2 * Math.ceil(length / size),
    element,
    only: (text, k) => `((${element(text, k)} - (${end(text)})) >> 31) + 1 === (this.thread.x & 1)`,
    add(partial, { channel, within }, totals) {
      for (let i = 0; i < partial.length; i++) {
        const runs = Math.floor((within + (i >> 1) * size) / stride) + (i & 1);
        totals[(channel + runs) % count]! += partial[i]!;
      }
    },
  };
}

function kernelOf(elements: Elements, term: Num, { terms, element, only }: Shares): KernelStep["kernel"] {
  const text = new KernelText();
  const k = `(a * ${GROUP} + b)`;
  const i = element(text, k);
  const { lines, names } = text.compute([term], elements.read(text, i));
  return text.build(elements.parameters, [
    "let total = 0.0;",
    `for (let a = 0; a < ${terms / GROUP}; a++) {`,
    "  let part = 0.0;",
    `  for (let b = 0; b < ${GROUP}; b++) {`,
    `    if (${only?.(text, k) ?? "b >= 0"}) {`,
    `      if (${i} < length) {`,
    ...[...lines, `part += ${names[0]};`].map((line) => `        ${line}`),
    "      }",
    "    }",
    "  }",
    "  total += part;",
    "}",
    "return total;",
  ]);
}
