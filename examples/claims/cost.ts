/**
 * @file What activations cost, forward and backward, beside ReLU and beside a plain copy.
 *
 *     npx tsx examples/claims/cost.ts
 */
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  defineOp,
  type EagerOp,
  type EagerParams,
  elu,
  gelu,
  gt,
  leakyRelu,
  mul,
  prelu,
  relu,
  sigmoid,
  silu,
  softplus,
  tanh,
  where,
} from "sluice";
import type { TextTable } from "./support/finding.ts";
import { present } from "./support/present.ts";
import { fillNormal, keyOf } from "./support/random.ts";
import { type Figure, median, quartiles } from "./support/statistics.ts";
import { fixed, scientific, withInterval } from "./support/text.ts";

/** The slope is part of the formula: no gradient is computed for it, as for `nn.LeakyReLU`. */
const fixedLeaky = defineOp("claims_leaky", {}, (x) => where(gt(x, 0), x, mul(0.01, x)));

interface Subject {
  readonly name: string;
  /** Whether it is made of straight pieces. */
  readonly straight: boolean;
  readonly forward: (x: Float32Array, out: Float32Array) => void;
  readonly backward: (x: Float32Array, dy: Float32Array) => { readonly dx: Float32Array };
}

const COPY: Subject = {
  name: "copy",
  straight: true,
  forward: (x, out) => out.set(x),
  // As backward, into a new array.
  backward: (_, dy) => ({ dx: dy.slice() }),
};

function curved<Name extends string>(name: string, op: EagerOp<Name>): Subject {
  return {
    name,
    straight: false,
    forward: (x, out) => op(x, { out } as EagerParams<Name, Float32Array>),
    backward: (x, dy) => op.backward(x, dy),
  };
}

const SUBJECTS: readonly Subject[] = [
  COPY,
  {
    name: "ReLU",
    straight: true,
    forward: (x, out) => relu(x, { out }),
    backward: (x, dy) => relu.backward(x, dy),
  },
  {
    name: "Leaky ReLU 0.01",
    straight: true,
    forward: (x, out) => leakyRelu(x, { out }),
    backward: (x, dy) => fixedLeaky.backward(x, dy),
  },
  {
    name: "PReLU, with the slope's gradient",
    straight: true,
    forward: (x, out) => prelu(x, { alpha: 0.25, out }),
    backward: (x, dy) => prelu.backward(x, dy, { alpha: 0.25 }),
  },
  curved("sigmoid", sigmoid),
  curved("tanh", tanh),
  curved("ELU", elu),
  curved("softplus", softplus),
  curved("SiLU", silu),
  curved("GELU", gelu),
];

const SIZES = [
  { name: "64 MiB, from memory", elements: 2 ** 24, repeats: 1 },
  { name: "128 KiB, from the cache", elements: 2 ** 15, repeats: 100 },
];
const ROUNDS = 15;

interface Cell {
  readonly activation: string;
  readonly size: string;
  readonly direction: "forward" | "backward";
  /** Over the rounds: the time beside that of ReLU and that of a copy, in the same round, and milliseconds. */
  readonly ofRelu: Figure;
  readonly ofCopy: Figure;
  readonly milliseconds: Figure;
}

interface Numbers {
  readonly machine: string;
  readonly cells: readonly Cell[];
  /** Bytes of new arrays for each byte of input. */
  readonly memory: readonly {
    readonly activation: string;
    readonly inPlace: number;
    readonly forward: number;
    readonly backward: number;
  }[];
}

function time(work: () => unknown, repeats: number): number {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) work();
  return (performance.now() - start) / repeats;
}

function measureSize({ name: size, elements, repeats }: (typeof SIZES)[number], rounds: number): Cell[] {
  const x = fillNormal(new Float32Array(elements), keyOf(1));
  const dy = fillNormal(new Float32Array(elements), keyOf(2));
  const out = x.slice();
  return (["forward", "backward"] as const).flatMap((direction) => {
    const work = SUBJECTS.map(({ forward, backward }) =>
      direction === "forward" ? () => forward(x, out) : () => backward(x, dy),
    );
    // Kernels are compiled, and pages there.
    for (const each of work) each();
    const times = Array.from({ length: rounds }, (_, round) => {
      // Each round begins with another one, for what comes first may pay for what was left before.
      const order = work.map((_, i) => (i + round) % work.length);
      const own = work.map(() => 0);
      for (const i of order) own[i] = time(work[i]!, repeats);
      return own;
    });
    const relu = SUBJECTS.findIndex(({ name }) => name === "ReLU");
    return SUBJECTS.map(({ name }, i): Cell => {
      const beside = (rival: number): Figure => quartiles(times.map((round) => round[i]! / round[rival]!));
      return {
        ...{ activation: name, size, direction, ofRelu: beside(relu), ofCopy: beside(0) },
        milliseconds: quartiles(times.map((round) => round[i]!)),
      };
    });
  });
}

/** Bytes of the arrays that are new after each, per byte of input, with all results kept. */
function measureMemory(elements: number): Numbers["memory"] {
  const x = fillNormal(new Float32Array(elements), keyOf(1));
  // The median of five, for the memory of earlier arrays may be given back late.
  const grown = (work: () => unknown): number => {
    const growths = Array.from({ length: 5 }, () => {
      collect();
      const before = process.memoryUsage().arrayBuffers;
      const kept = [work()];
      const bytes = process.memoryUsage().arrayBuffers - before;
      return kept.length * (bytes / x.byteLength);
    });
    return Number(median(growths).toFixed(2));
  };
  return SUBJECTS.map(({ name, forward, backward }) => ({
    activation: name,
    inPlace: grown(() => forward(x, x)),
    forward: grown(() => {
      const out = new Float32Array(elements);
      forward(x, out);
      return out;
    }),
    backward: grown(() => backward(x, x)),
  }));
}

/** Frees the arrays that nobody has any more. */
const collect: () => void = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

await present<Numbers>({
  name: "cost",
  title: "The cost of a slope",
  said: "Leaky ReLU and PReLU cost more to compute than ReLU.",
  sources: [
    "Common in comparisons of activations, without a measurement",
    "S. Williams, A. Waterman, D. Patterson: Roofline (2009), [doi 10.1145/1498765.1498785](https://doi.org/10.1145/1498765.1498785): what does little arithmetic on each byte takes as long as the bytes take",
    "S. Rota Bulò, L. Porzi, P. Kontschieder: In-Place Activated BatchNorm (2017), [arXiv 1712.02616](https://arxiv.org/abs/1712.02616), on what has to be kept for backward",
  ],
  method: `Sluice's functions on float32 arrays that are in memory, one thread, ${ROUNDS} rounds in which all take turns; ratios are taken within a round. Forward goes into an array that is there, backward makes a new one, as does the copy beside it. Backward of Leaky ReLU is that of a fixed slope. Times differ from run to run and from machine to machine, so unlike the rest of this page these figures are not the same on every run; the verdict rests on differences that are far larger.`,
  async measure(quick) {
    const sizes = quick
      ? SIZES.map((size) => ({ ...size, elements: Math.min(size.elements, 2 ** 18), repeats: 2 }))
      : SIZES;
    // Before the timing, for arrays that are collected meanwhile would be counted.
    const memory = measureMemory(quick ? 2 ** 18 : 2 ** 22);
    const machine = `${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}`;
    return { machine, memory, cells: sizes.flatMap((size) => measureSize(size, quick ? 2 : ROUNDS)) };
  },
  find({ machine, cells, memory }) {
    const cell = (activation: string, size: number, direction: Cell["direction"]): Cell =>
      cells.find(
        (each) =>
          each.activation === activation && each.size === SIZES[size]!.name && each.direction === direction,
      )!;
    const show = (figure: Figure): string => withInterval(figure, fixed(2));
    const leaky = cell("Leaky ReLU 0.01", 0, "forward");
    const back = cell("Leaky ReLU 0.01", 0, "backward");
    const learned = cell("PReLU, with the slope's gradient", 0, "forward");
    const learnedBack = cell("PReLU, with the slope's gradient", 0, "backward");
    // Twice is more than timings stray, even on a machine with other work.
    const slope = [leaky, back, learned, learnedBack].every(({ ofRelu }) => ofRelu.middle < 2);
    const curved = (size: number): string => {
      const times = SUBJECTS.filter(({ straight }) => !straight).map(
        ({ name }) => cell(name, size, "forward").ofRelu.middle,
      );
      return `${fixed(1)(Math.min(...times))} to ${fixed(1)(Math.max(...times))}`;
    };
    const columns = SIZES.flatMap(({ name }, size) =>
      (["forward", "backward"] as const).map((direction) => ({
        title: `${direction}, ${name}`,
        size,
        direction,
      })),
    );
    const table: TextTable = {
      caption: "Time beside ReLU in the same round; median and quartiles over the rounds",
      head: ["", ...columns.map(({ title }) => title)],
      rows: SUBJECTS.map(({ name }) => [
        name,
        ...columns.map(({ size, direction }) => show(cell(name, size, direction).ofRelu)),
      ]),
    };
    const same = new Set(memory.map(({ inPlace, forward, backward }) => `${inPlace} ${forward} ${backward}`));
    return {
      verdict: slope ? "does not hold" : "holds",
      because: slope
        ? `A fixed slope costs nothing that one could measure: what takes the time is memory. A learned slope costs nothing forward and little backward, for its gradient is a sum over all elements: ${fixed(2)(learnedBack.ofRelu.middle)} times ReLU's time here.`
        : "A slope costs time here.",
      figure: `Beside ReLU, ${SIZES[0]!.name}: Leaky ReLU forward ${show(leaky.ofRelu)}, backward ${show(back.ofRelu)}; PReLU forward ${show(learned.ofRelu)}, backward with the gradient of its slope ${show(learnedBack.ofRelu)}. ReLU itself takes ${show(cell("ReLU", 0, "forward").ofCopy)} times as long as a plain copy. Medians and quartiles of ${ROUNDS} rounds on one thread (${machine}).`,
      details: [
        table,
        `Functions that take exponentials take ${curved(0)} times as long as ReLU forward from memory and ${curved(1)} times from the cache, on one thread.`,
        `ReLU takes longer than a copy although it needs the same traffic: on arrays, Sluice moves pieces of 256 KiB into its shared memory and back, and a call costs some time of its own, which is most of it where arrays are small (128 KiB: ${fixed(3)(cell("ReLU", 1, "forward").milliseconds.middle)} ms, a copy ${fixed(3)(cell("copy", 1, "forward").milliseconds.middle)} ms). That is Sluice's cost, and the same for all of them. On files it computes in place: see [performance](performance.md).`,
        `Memory, in arrays of the input's size: ${same.size === 1 ? `all of them need ${scientific(2)(memory[0]!.inPlace)} in place, ${scientific(2)(memory[0]!.forward)} into a new array, and ${scientific(2)(memory[0]!.backward)} for dx` : memory.map(({ activation, inPlace, forward, backward }) => `${activation} ${inPlace} in place, ${forward} into a new array, ${backward} for dx`).join("; ")}. PReLU has one number more, or one for each channel. For backward ReLU, Leaky ReLU with a slope above 0, sigmoid and tanh can all be computed in place and do with their output; GELU and SiLU have to keep their input, for two inputs may give the same output.`,
      ],
    };
  },
  draw({ cells }) {
    return {
      title: "Time of activations beside ReLU",
      description: `Time of each activation over that of ReLU, forward and backward, for arrays of 64 MiB and of 128 KiB. Leaky ReLU and PReLU lie near 1; functions with exponentials lie above.`,
      columns: 1,
      panels: (["forward", "backward"] as const).map((direction) => ({
        title: direction,
        x: {
          label: "",
          from: -0.6,
          to: SUBJECTS.length - 0.4,
          ticks: SUBJECTS.map(({ name }, value) => ({ value, label: name.split(",")[0]! })),
        },
        y: {
          label: "time / time of ReLU",
          from: 0.03,
          to: 30,
          log: true,
          ticks: [0.03, 0.1, 0.3, 1, 3, 10, 30].map((value) => ({ value, label: String(value) })),
        },
        series: [
          {
            name: "ReLU",
            kind: "rule" as const,
            look: 7,
            points: [-0.6, SUBJECTS.length - 0.4].map((x) => ({ x, y: 1 })),
          },
          ...SIZES.map(({ name }, look) => ({
            name,
            kind: "marks" as const,
            look,
            points: SUBJECTS.map(({ name: activation }, x) => {
              const { ofRelu } = cells.find(
                (cell) =>
                  cell.activation === activation && cell.size === name && cell.direction === direction,
              )!;
              return { x: x + 0.16 * (look - 0.5), y: ofRelu.middle, low: ofRelu.low, high: ofRelu.high };
            }),
          })),
        ],
      })),
    };
  },
});
