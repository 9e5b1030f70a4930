/**
 * @file Where the slopes of PReLU settle, layer by layer.
 *
 *     npx tsx examples/claims/learned-slopes.ts
 */
import { layers, type Model } from "sluice";
import type { Panel } from "./support/chart.ts";
import { accuracyOf, drawRows, loadDigits, writeRows } from "./support/digits.ts";
import type { TextTable } from "./support/finding.ts";
import { present } from "./support/present.ts";
import { type Figure, mean, medianFigure, quantile } from "./support/statistics.ts";
import { fixed, percent, withInterval } from "./support/text.ts";
import {
  type Activation,
  type Budget,
  convolutionalNetwork,
  denseNetwork,
  mapTwo,
  trainOn,
} from "./support/training.ts";

const DEPTH = 6;
const SEEDS = 10;
const ROWS = 8000;
const RATE = 3e-3;
/** Two starts: where they agree in the end, slopes have settled; where they do not, they remember. */
const STARTS = [0.25, 0];

interface Kind {
  readonly name: string;
  readonly budget: Budget;
  readonly network: (activation: Activation) => Model;
}

const KINDS: readonly Kind[] = [
  {
    name: "dense",
    budget: { batch: 100, epochs: 30 },
    network: (activation) => denseNetwork(DEPTH, 32, activation),
  },
  {
    name: "convolutional",
    budget: { batch: 100, epochs: 10 },
    network: (activation) => convolutionalNetwork(DEPTH, 8, activation),
  },
];

interface Layer {
  readonly kind: string;
  readonly start: number;
  /** From 1. */
  readonly layer: number;
  /** The mean over a layer's channels; one of each seed. */
  readonly means: readonly number[];
  readonly figure: Figure;
  /** Of all channels of all seeds: the quartiles. */
  readonly channels: readonly [number, number];
}

interface Numbers {
  readonly layers: readonly Layer[];
  /** Held out, in the mean over the seeds, by kind and start. */
  readonly accuracies: Readonly<Record<string, number>>;
}

async function measure(quick: boolean): Promise<Numbers> {
  const digits = loadDigits();
  const seeds = Array.from({ length: quick ? 2 : SEEDS }, (_, seed) => seed);
  const path = writeRows("all", drawRows(digits, quick ? 200 : ROWS, 0));
  const found: Layer[] = [];
  const accuracies: Record<string, number> = {};
  for (const { name, network, budget } of KINDS) {
    for (const start of STARTS) {
      const activation = { name: "PReLU", layer: () => layers.prelu({ init: start, each: true }) };
      const short = quick ? { ...budget, epochs: 1 } : budget;
      const runs = await mapTwo(seeds, async (seed) => {
        const { model } = await trainOn(path, network(activation), short, RATE, seed);
        return { slopes: slopesOf(model), right: accuracyOf(model, digits.heldOut) };
      });
      accuracies[`${name}, from ${start}`] = mean(runs.map(({ right }) => right));
      for (let layer = 0; layer < DEPTH; layer++) {
        const means = runs.map(({ slopes }) => mean(slopes[layer]!));
        const all = runs.flatMap(({ slopes }) => slopes[layer]!);
        found.push({
          ...{ kind: name, start, layer: layer + 1, means, figure: medianFigure(means) },
          channels: [quantile(all, 0.25), quantile(all, 0.75)],
        });
      }
    }
  }
  return { layers: found, accuracies };
}

/** Of each layer with PReLU, one of each channel. */
function slopesOf({ network, tensors }: Model): number[][] {
  return network.layers
    .filter(({ spec }) => spec.kind === "op")
    .map(({ tensors: [slopes] }) => [...tensors.get(slopes!.name)!]);
}

await present<Numbers>({
  name: "learned-slopes",
  title: "The slope can be learned",
  said: "The slope can be learned: PReLU makes it large in the first layer and close to 0 in deep ones.",
  sources: [
    "K. He, X. Zhang, S. Ren, J. Sun: Delving Deep into Rectifiers (2015), [arXiv 1502.01852](https://arxiv.org/abs/1502.01852), table 1: in a convolutional network of 14 layers, 0.681 (one slope for all channels) or 0.596 (the mean of one for each channel) in the first layer, mostly below 0.2 in the deep ones",
  ],
  method: `PReLU with a slope for each channel, Adam with lr ${RATE} and no weight decay, ${ROWS.toLocaleString("en")} digits of 14 × 14 pixels, ${DEPTH} hidden layers: dense (32 neurons, ${KINDS[0]!.budget.epochs} epochs) and convolutional (8 filters of 3 × 3, ${KINDS[1]!.budget.epochs} epochs); ${SEEDS} seeds. Slopes start at 0.25, as those of He et al. and of PyTorch, and once more at 0: what has settled is the same from both.`,
  measure,
  find({ layers: found, accuracies }) {
    const own = (kind: string, start: number): Layer[] =>
      found.filter((each) => each.kind === kind && each.start === start);
    const moved = found.filter(
      ({ figure, start }) => figure.low > start + 0.02 || figure.high < start - 0.02,
    );
    const falls = (kind: string): boolean => {
      const [first, ...others] = own(kind, 0.25);
      return others.slice(2).every(({ figure }) => figure.high < first!.figure.low);
    };
    const nearZero = (kind: string): boolean =>
      own(kind, 0.25)
        .slice(DEPTH / 2)
        .every(({ figure }) => Math.abs(figure.middle) < 0.1);
    const agree = KINDS.flatMap(({ name }) =>
      own(name, 0.25).filter(({ layer, figure: { low, high } }) => {
        const other = own(name, 0).find((each) => each.layer === layer)!.figure;
        return other.low <= high && low <= other.high;
      }),
    );
    const gap = (kind: string): number =>
      mean(own(kind, 0.25).map(({ means }) => mean(means))) -
      mean(own(kind, 0).map(({ means }) => mean(means)));
    const show = ({ figure }: Layer): string => withInterval(figure, fixed(2));
    const text = (kind: string): string => {
      const of = own(kind, 0.25);
      return `${show(of[0]!)} in the first and ${show(of.at(-1)!)} in the last hidden layer`;
    };
    const [dense, convolutional] = KINDS.map(({ name }) => name) as [string, string];
    const pattern = [dense, convolutional].filter((kind) => falls(kind));
    const zero = [dense, convolutional].filter((kind) => falls(kind) && nearZero(kind));
    const table: TextTable = {
      caption: "Mean slope of a layer; median over the seeds, and from the second to the ninth of ten",
      head: ["hidden layer", ...KINDS.flatMap(({ name }) => STARTS.map((start) => `${name}, from ${start}`))],
      rows: Array.from({ length: DEPTH }, (_, i) => [
        String(i + 1),
        ...KINDS.flatMap(({ name }) => STARTS.map((start) => show(own(name, start)[i]!))),
      ]),
    };
    return {
      verdict:
        zero.length === 2 ? "holds" : moved.length > 0 && pattern.length > 0 ? "holds if" : "does not hold",
      because:
        zero.length === 2
          ? "Slopes are learned, they are large in the first layer, and near 0 in deep ones."
          : pattern.length > 0
            ? `The network is ${pattern.join(" or ")}: there the slopes of the first layer end above those of the deep ones${zero.length === pattern.length ? "" : ", though these do not come near 0"}${pattern.length === 2 ? "" : "; in the other kind they are learned as well, but in no such order"}.`
            : "Slopes are learned, but they do not fall from the first layer to the deep ones.",
      figure: `From 0.25: dense ${text(dense)}; convolutional ${text(convolutional)}. Means over channels: medians of ${SEEDS} seeds with 97.9 % intervals.`,
      details: [
        table,
        `Slopes move: in ${moved.length} of ${found.length} layers the whole interval lies more than 0.02 away from the start.`,
        agree.length < KINDS.length * DEPTH
          ? `**A surprise: they remember where they began.** Two networks that differ in the start of their slopes alone (and in the scale that He's rule takes from it) begin 0.25 apart and end with slopes that are ${KINDS.map(({ name }) => `${fixed(2)(gap(name))} apart in the mean (${name})`).join(" and ")}; in ${agree.length} of ${KINDS.length * DEPTH} layers their intervals meet. The loss hardly depends on the slope, so little drives it: both starts come out about as accurate. "Where slopes settle" is in part where they were put, and one run from one start, as most tables of slopes are, does not show it.`
          : "They settle: from both starts they come to slopes that cannot be told apart.",
        `Channels of one layer differ: half of them lie between ${own(convolutional, 0.25)
          .map(
            ({ layer, channels: [low, high] }) => `${fixed(2)(low)} and ${fixed(2)(high)} (layer ${layer})`,
          )
          .join(", ")} in the convolutional network that starts at 0.25.`,
        `Held out: ${Object.entries(accuracies)
          .map(([name, right]) => `${name} ${percent(1)(right)} %`)
          .join(
            ", ",
          )}. He et al. trained 14 layers on a million photographs; ${DEPTH} layers on digits are a small world beside that.`,
      ],
    };
  },
  draw({ layers: found }) {
    const panel = ({ name }: Kind): Panel => ({
      title: name,
      x: {
        label: "hidden layer",
        from: 0.7,
        to: DEPTH + 0.3,
        ticks: Array.from({ length: DEPTH }, (_, i) => ({ value: i + 1, label: String(i + 1) })),
      },
      y: { label: "mean slope", from: -0.1, to: 0.5 },
      series: STARTS.map((start, i) => ({
        name: `from ${start}`,
        kind: "line" as const,
        look: i,
        points: found
          .filter((each) => each.kind === name && each.start === start)
          .map(({ layer, figure }) => ({
            x: layer + 0.06 * i,
            y: figure.middle,
            low: figure.low,
            high: figure.high,
          })),
      })),
    });
    return {
      title: "Learned slopes of PReLU by layer",
      description: `Mean slope of each of ${DEPTH} hidden layers in dense and in convolutional networks, from two starts, 0.25 and 0; medians over ${SEEDS} seeds with intervals.`,
      columns: 2,
      panels: KINDS.map(panel),
    };
  },
});
