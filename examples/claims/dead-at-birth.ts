/**
 * @file How often a deep, narrow network is constant before it learned anything.
 *
 *     npx tsx examples/claims/dead-at-birth.ts
 */
import { leakyRelu, relu } from "sluice";
import { bornDeadBounds } from "./support/bounds.ts";
import { present } from "./support/present.ts";
import { fillNormal, keyOf } from "./support/random.ts";
import { type Figure, shareFigure } from "./support/statistics.ts";
import { fixed, percent, withInterval } from "./support/text.ts";

const WIDTHS = [2, 3, 4, 5, 8];
const DEPTHS = [5, 10, 20, 50, 100];
const NETWORKS = 40_000;
/** Networks that are computed at once. */
const GROUP = 4000;
const SLOPE = 0.01;
/** Intervals of 25 cells that hold together with 99 %: 1 - 0.01 / 25 each (Bonferroni). */
const Z = 3.54;
/** What float32 rounds to 0 is not larger than half of its least number, 2^-149. */
const UNDERFLOW = 2 ** -150;

interface Cell {
  readonly width: number;
  readonly depth: number;
  readonly networks: number;
  readonly dead: number;
  readonly share: Figure;
  readonly lower: number;
  readonly upper: number;
  readonly agrees: boolean;
  /** Leaky ReLU: constant in float64; and as small on both rays that float32 has only 0 for it. */
  readonly leakyDead: number;
  readonly leakyUnderflow: number;
}

/** The outputs of the last hidden layer of `count` networks, on the rays of x = 1 and x = -1: [network, ray, neuron]. */
interface Rays {
  readonly relu: Float64Array;
  readonly leaky: Float64Array;
}

function runNetworks(width: number, depth: number, count: number, key: number): Rays {
  const [size, last] = [2 * width, width * width];
  let rays: Rays = {
    relu: new Float64Array(count * size),
    leaky: new Float64Array(count * size),
  };
  let next: Rays = { relu: rays.relu.slice(), leaky: rays.leaky.slice() };
  const weights = new Float64Array(count * last);
  for (let layer = 0; layer < depth; layer++) {
    // Both kinds of networks have the same weights. Their scale changes no sign.
    fillNormal(weights, keyOf(key, width, depth, layer), Math.sqrt(2 / width));
    if (layer === 0) firstLayer(weights, width, rays);
    else {
      multiply(weights, width, rays.relu, next.relu);
      multiply(weights, width, rays.leaky, next.leaky);
      [rays, next] = [next, rays];
    }
    relu(rays.relu, { out: rays.relu });
    leakyRelu(rays.leaky, { alpha: SLOPE, out: rays.leaky });
  }
  return rays;
}

function firstLayer(weights: Float64Array, width: number, { relu, leaky }: Rays): void {
  for (let at = 0, from = 0; at < relu.length; at += 2 * width, from += width * width) {
    for (let i = 0; i < width; i++) {
      relu[at + i] = leaky[at + i] = weights[from + i]!;
      relu[at + width + i] = leaky[at + width + i] = -weights[from + i]!;
    }
  }
}

/** Each network's own matrix times its two rays. */
function multiply(weights: Float64Array, width: number, from: Float64Array, to: Float64Array): void {
  for (let at = 0, row = 0; at < from.length; at += 2 * width) {
    for (let i = 0; i < width; i++, row += width) {
      let [up, down] = [0, 0];
      for (let j = 0; j < width; j++) {
        up += weights[row + j]! * from[at + j]!;
        down += weights[row + j]! * from[at + width + j]!;
      }
      to[at + i] = up;
      to[at + width + i] = down;
    }
  }
}

/** Networks whose outputs are all at most `least` from 0. */
function countSmall(rays: Float64Array, width: number, least: number): number {
  let small = 0;
  for (let at = 0; at < rays.length; at += 2 * width) {
    let isSmall = 1;
    for (let i = at; i < at + 2 * width; i++) if (Math.abs(rays[i]!) > least) isSmall = 0;
    small += isSmall;
  }
  return small;
}

function measureCell(width: number, depth: number, networks: number): Cell {
  let [dead, leakyDead, leakyUnderflow] = [0, 0, 0];
  for (let first = 0; first < networks; first += GROUP) {
    const rays = runNetworks(width, depth, Math.min(GROUP, networks - first), first);
    dead += countSmall(rays.relu, width, 0);
    leakyDead += countSmall(rays.leaky, width, 0);
    leakyUnderflow += countSmall(rays.leaky, width, UNDERFLOW);
  }
  const share = shareFigure(dead, networks, Z);
  const { lower, upper } = bornDeadBounds(width, depth);
  const agrees = share.high >= lower && share.low <= upper;
  return { width, depth, networks, dead, share, lower, upper, agrees, leakyDead, leakyUnderflow };
}

await present<readonly Cell[]>({
  name: "dead-at-birth",
  title: "Dead at birth",
  said: "A deep and narrow ReLU network may be constant before it has learned anything; a Leaky ReLU network is not.",
  sources: [
    "L. Lu, Y. Shin, Y. Su, G. E. Karniadakis: Dying ReLU and Initialization: Theory and Numerical Examples (2019), [arXiv 1903.06733](https://arxiv.org/abs/1903.06733), [doi 10.4208/cicp.OA-2020-0165](https://doi.org/10.4208/cicp.OA-2020-0165)",
    "T. E. Harris: A lower bound for the critical probability in a certain percolation process (1960), [doi 10.1017/S0305004100034241](https://doi.org/10.1017/S0305004100034241), for the step of the lower bound that needs sums to be associated",
  ],
  method: `Input dimension 1, no biases, normally distributed weights; ${NETWORKS.toLocaleString("en")} networks for each width and depth, the same weights for ReLU and for Leaky ReLU with slope ${SLOPE}. Without biases the network is |x| f(±1), so it is constant where both rays, x = 1 and x = -1, are 0 in the last hidden layer, and there alone; that is what is counted. Computed in float64. Depth counts hidden layers; the paper counts the output too, so its depth 11 is 10 here.`,
  async measure(quick) {
    const depths = quick ? DEPTHS.slice(0, 3) : DEPTHS;
    return WIDTHS.flatMap((width) =>
      depths.map((depth) => measureCell(width, depth, quick ? 2000 : NETWORKS)),
    );
  },
  find(cells) {
    const agree = cells.filter(({ agrees }) => agrees).length;
    const dead = cells.reduce((total, { leakyDead }) => total + leakyDead, 0);
    const all = cells.reduce((total, { networks }) => total + networks, 0);
    const main = cells.find(({ width, depth }) => width === 2 && depth === 10)!;
    const holds = agree === cells.length && dead === 0;
    const depths = [...new Set(cells.map(({ depth }) => depth))];
    const grid = (text: (cell: Cell) => string): string[][] =>
      WIDTHS.map((width) => [
        String(width),
        ...depths.map((depth) => text(cells.find((cell) => cell.width === width && cell.depth === depth)!)),
      ]);
    const head = ["width", ...depths.map((depth) => `depth ${depth}`)];
    const faint = cells
      .filter(({ leakyUnderflow, networks: count }) => leakyUnderflow >= count / 100)
      .sort((a, b) => b.leakyUnderflow - a.leakyUnderflow)
      .map((cell) => {
        const share = percent(cell.leakyUnderflow < cell.networks / 10 ? 1 : 0)(
          cell.leakyUnderflow / cell.networks,
        );
        return `${share} % of the networks of width ${cell.width} and depth ${cell.depth}`;
      });
    return {
      verdict: holds ? "holds" : "does not hold",
      because: holds
        ? `Every one of the ${cells.length} cells agrees with the bounds of the theory within sampling error, and of ${all.toLocaleString("en")} Leaky ReLU networks none is constant.`
        : `${cells.length - agree} cells of ${cells.length} are outside of the theory, and ${dead} Leaky ReLU networks are constant.`,
      figure: `Width 2, depth 10: ${withInterval(main.share, fixed(3))} of the ReLU networks are constant; theory: ${fixed(3)(main.lower)} to ${fixed(3)(main.upper)}. Leaky ReLU: 0 of ${main.networks.toLocaleString("en")} (below ${percent(3)(shareFigure(0, main.networks).high)} % with 95 % confidence).`,
      details: [
        {
          caption:
            "Share of constant ReLU networks, with the bounds of the theory. Sampling error: at most 0.009 to either side, for all cells together with 99 % confidence",
          head,
          rows: grid(
            ({ share, lower, upper }) =>
              `${fixed(4)(share.middle)} in ${fixed(4)(lower)} to ${fixed(4)(upper)}`,
          ),
        },
        "Width N helps much more than depth L hurts: the share is at most 1 - (1 - 2^-N)^(L - 1), which is below 0.2 % for width 16 and 100 layers. Nobody trains networks of width 2; the result is about bottlenecks, and about networks without normalisation and without biases.",
        faint.length === 0
          ? "Nor is a Leaky ReLU network as good as constant: its outputs are not so small that float32 could not tell them from 0."
          : `**A surprise: not constant is not the same as alive.** In exact arithmetic a Leaky ReLU network is never constant. But where all of a narrow layer is negative, slope ${SLOPE} takes a factor of 100, and such layers add up: although the weights are He's, in ${faint.join(" and in ")} the outputs on both rays are smaller than float32 can hold, so that float32 computes the constant 0. What is not dead can still be too faint to learn from; see [the next claim](#vanishing-and-exploding-gradients).`,
      ],
    };
  },
  draw(cells) {
    const all = [...new Set(cells.map(({ depth }) => depth))];
    return {
      title: "ReLU networks that are constant at birth",
      description: `Share of constant networks over depth for widths ${WIDTHS.join(", ")}: the ReLU networks lie within the bounds of the theory, from nearly all of them at width 2 to few at width 8; of Leaky ReLU there are none at any width.`,
      columns: 1,
      panels: [
        {
          title: "share of networks; bands: between the bounds of Lu et al. 2019",
          x: { label: "hidden layers", from: 4, to: 120, log: true, ticks: all.map(tick) },
          y: { label: "constant", from: -0.02, to: 1.02, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1].map(tick) },
          series: [
            ...WIDTHS.map((width, look) => ({
              name: `bounds, width ${width}`,
              kind: "band" as const,
              look,
              points: range(5, 100).map((depth) => {
                const { lower, upper } = bornDeadBounds(width, depth);
                return { x: depth, y: upper, low: lower, high: upper };
              }),
            })),
            ...WIDTHS.map((width, look) => ({
              name: `ReLU, width ${width}`,
              kind: "marks" as const,
              look,
              points: cells
                .filter((cell) => cell.width === width)
                .map(({ depth, share }) => ({ x: depth, y: share.middle, low: share.low, high: share.high })),
            })),
            {
              name: "Leaky ReLU, every width",
              kind: "line" as const,
              look: 7,
              points: all.map((depth) => ({ x: depth, y: 0 })),
            },
          ],
        },
      ],
    };
  },
});

function tick(value: number): { value: number; label: string } {
  return { value, label: String(value) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
