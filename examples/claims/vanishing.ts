/**
 * @file What is left of a gradient when it has gone through many layers, by activation and by initialisation.
 *
 *     npx tsx examples/claims/vanishing.ts
 */
import { type Backward, leakyRelu, prelu, relu, sigmoid, tanh } from "sluice";
import type { Panel } from "./support/chart.ts";
import { present } from "./support/present.ts";
import { fillNormal, keyOf } from "./support/random.ts";
import { type Figure, meanFigure, medianFigure, quartiles } from "./support/statistics.ts";
import { fixed, scientific, withInterval } from "./support/text.ts";

const DEPTHS = [5, 10, 20, 30, 50, 100];
const WIDTH = 256;
const NETWORKS = 50;
/** Networks that are computed at once. */
const GROUP = 10;
/** Where the page looks. */
const LOOK = 30;

interface Activation {
  readonly name: string;
  /** The slope below 0, of those that are piecewise linear. */
  readonly slope?: number;
  readonly forward: (z: Float64Array, out: Float64Array) => void;
  readonly backward: (z: Float64Array, dy: Float64Array) => Backward<string, Float64Array>;
}

const leaky = (alpha: number): Activation => ({
  name: `Leaky ReLU ${alpha}`,
  slope: alpha,
  forward: (z, out) => leakyRelu(z, { alpha, out }),
  backward: (z, dy) => leakyRelu.backward(z, dy, { alpha }),
});

const ACTIVATIONS: readonly Activation[] = [
  { name: "sigmoid", forward: (z, out) => sigmoid(z, { out }), backward: (z, dy) => sigmoid.backward(z, dy) },
  { name: "tanh", forward: (z, out) => tanh(z, { out }), backward: (z, dy) => tanh.backward(z, dy) },
  {
    name: "ReLU",
    slope: 0,
    forward: (z, out) => relu(z, { out }),
    backward: (z, dy) => relu.backward(z, dy),
  },
  ...[0.01, 0.1, 0.2, 0.3].map(leaky),
  {
    name: "PReLU 0.25",
    slope: 0.25,
    forward: (z, out) => prelu(z, { alpha: 0.25, out }),
    backward: (z, dy) => prelu.backward(z, dy, { alpha: 0.25 }),
  },
];

interface Init {
  readonly name: string;
  /** Of each weight, times the width. */
  readonly variance: (activation: Activation) => number;
}

const INITS: readonly Init[] = [
  { name: "naive, Var = 1/(3n)", variance: () => 1 / 3 },
  { name: "Xavier, Var = 1/n", variance: () => 1 },
  { name: "He, Var = 2/((1 + slope²) n)", variance: ({ slope = 0 }) => 2 / (1 + slope ** 2) },
];

interface Cell {
  readonly activation: string;
  readonly init: string;
  readonly depth: number;
  /** |dx| / |dy| over all layers: the root of the mean square, and the median, each with 95 %, and the quartiles. */
  readonly rootMeanSquare: Figure;
  readonly median: Figure;
  readonly quartiles: Figure;
  /** ((1 + slope^2) n Var / 2)^(depth / 2). */
  readonly predicted?: number;
}

interface Path {
  readonly activation: Activation;
  readonly init: Init;
  readonly deviation: number;
  /** What each layer's activation was given, [network, neuron]; by layer. */
  readonly given: Float64Array[];
  /** Gradients that are on their way down, by the depth where they began. */
  readonly gradients: Map<number, { readonly start: Float64Array; now: Float64Array }>;
}

/** |dx| / |dy| of each network, for each activation, initialisation and depth. */
function measureGroup(width: number, count: number, depths: readonly number[], key: number): number[][][] {
  const size = count * width;
  const paths = ACTIVATIONS.flatMap((activation) =>
    INITS.map((init): Path => {
      const deviation = Math.sqrt(init.variance(activation) / width);
      return { activation, init, deviation, given: [], gradients: new Map() };
    }),
  );
  const input = fillNormal(new Float64Array(size), keyOf(key, 0));
  const outputs = paths.map(() => input.slice());
  const weights = new Float64Array(count * width * width);
  const last = depths.at(-1)!;
  for (let layer = 1; layer <= last; layer++) {
    fillNormal(weights, keyOf(key, layer));
    for (const [i, path] of paths.entries()) {
      const z = multiply(weights, outputs[i]!, width, path.deviation);
      path.given.push(z);
      path.activation.forward(z, outputs[i]!);
    }
  }
  // Down again, with the same weights: the gradient of each depth joins in where its network ends.
  for (let layer = last; layer >= 1; layer--) {
    fillNormal(weights, keyOf(key, layer));
    for (const { activation, deviation, given, gradients } of paths) {
      if (depths.includes(layer)) {
        const start = fillNormal(new Float64Array(size), keyOf(key, layer, 1));
        gradients.set(layer, { start, now: start });
      }
      const z = given.pop()!;
      for (const gradient of gradients.values()) {
        const { dx } = activation.backward(z, gradient.now);
        gradient.now = multiplyTransposed(weights, dx, width, deviation);
      }
    }
  }
  return paths.map(({ gradients }) =>
    depths.map((depth) => {
      const { start, now } = gradients.get(depth)!;
      return Array.from({ length: count }, (_, i) => {
        const [from, to] = [i * width, (i + 1) * width];
        return norm(now.subarray(from, to)) / norm(start.subarray(from, to));
      });
    }),
  );
}

/** Each network's own matrix, times `scale`, times its vector. */
function multiply(weights: Float64Array, vectors: Float64Array, width: number, scale: number): Float64Array {
  const result = new Float64Array(vectors.length);
  for (let i = 0, at = 0; i < result.length; i++) {
    const first = i - (i % width);
    let total = 0;
    for (let j = 0; j < width; j++) total += weights[at++]! * vectors[first + j]!;
    result[i] = scale * total;
  }
  return result;
}

function multiplyTransposed(
  weights: Float64Array,
  vectors: Float64Array,
  width: number,
  scale: number,
): Float64Array {
  const result = new Float64Array(vectors.length);
  for (let i = 0, at = 0; i < result.length; i++) {
    const first = i - (i % width);
    const value = scale * vectors[i]!;
    for (let j = 0; j < width; j++) result[first + j]! += weights[at++]! * value;
  }
  return result;
}

const norm = (vector: Float64Array): number => Math.hypot(...vector);

await present<readonly Cell[]>({
  name: "vanishing",
  title: "Vanishing and exploding gradients",
  said: "Leaky ReLU keeps gradients from vanishing.",
  sources: [
    "K. He, X. Zhang, S. Ren, J. Sun: Delving Deep into Rectifiers (2015), [arXiv 1502.01852](https://arxiv.org/abs/1502.01852), section 2.2: the variance of a gradient is multiplied by (1 + slope²) n Var / 2 in each layer",
    "X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward neural networks (2010), [PMLR 9](https://proceedings.mlr.press/v9/glorot10a.html)",
    "B. Hanin: Which Neural Net Architectures Give Rise to Exploding and Vanishing Gradients? (2018), [arXiv 1801.03744](https://arxiv.org/abs/1801.03744), on how far single networks stray from the mean",
  ],
  method: `Square layers of ${WIDTH} neurons without biases, normally distributed weights, a normally distributed input; ${NETWORKS} networks, the same weights for every activation. A random gradient enters behind the last layer; measured is its norm in front of the first layer over that. Naive is the rule of thumb that Glorot and Bengio name, and PyTorch's default for a linear layer: Var = 1/(3n). Computed in float64: in float32 most of the left column would be 0.`,
  async measure(quick) {
    const [width, networks, group] = quick ? [32, 4, 2] : [WIDTH, NETWORKS, GROUP];
    const groups = Array.from({ length: networks / group }, (_, i) => measureGroup(width, group, DEPTHS, i));
    return ACTIVATIONS.flatMap((activation, a) =>
      INITS.flatMap((init, b) =>
        DEPTHS.map((depth, d): Cell => {
          const ratios = groups.flatMap((each) => each[a * INITS.length + b]![d]!);
          const squares = meanFigure(ratios.map((ratio) => ratio ** 2));
          const { slope } = activation;
          return {
            ...{ activation: activation.name, init: init.name, depth },
            rootMeanSquare: {
              middle: Math.sqrt(squares.middle),
              low: Math.sqrt(Math.max(0, squares.low)),
              high: Math.sqrt(squares.high),
            },
            ...{ median: medianFigure(ratios), quartiles: quartiles(ratios) },
            ...(slope !== undefined && {
              predicted: (((1 + slope ** 2) * init.variance(activation)) / 2) ** (depth / 2),
            }),
          };
        }),
      ),
    );
  },
  find(cells) {
    const cell = (activation: string, init: number, depth = LOOK): Cell =>
      cells.find(
        (each) => each.activation === activation && each.init === INITS[init]!.name && each.depth === depth,
      )!;
    // By how much a layer's factor differs from the predicted one.
    const off = cells
      .filter(({ depth }) => depth <= LOOK)
      .flatMap(({ predicted, rootMeanSquare, depth }) =>
        predicted === undefined ? [] : Math.abs((rootMeanSquare.middle / predicted) ** (1 / depth) - 1),
      );
    const worst = Math.max(...off);
    const [plain, small, large] = [cell("ReLU", 1), cell("Leaky ReLU 0.01", 1), cell("Leaky ReLU 0.3", 1)];
    const [plainHe, smallHe] = [cell("ReLU", 2), cell("Leaky ReLU 0.01", 2)];
    const deep = cell("Leaky ReLU 0.01", 2, 100);
    const show = scientific(3);
    const agrees = worst < 0.03;
    const alike = Math.abs(Math.log(small.median.middle / plain.median.middle)) < Math.log(3);
    const kept = [smallHe, cell("Leaky ReLU 0.2", 2)].every(
      ({ median: { middle } }) => middle > 0.1 && middle < 10,
    );
    return {
      verdict: agrees && alike && kept ? "holds if" : "does not hold",
      because:
        "The initialisation knows the slope (He). The slope alone does not cure depth, and with He plain ReLU keeps its gradients as well.",
      figure: `${LOOK} layers, Var = 1/n: ReLU leaves ${withInterval(plain.median, show)} of a gradient's norm, Leaky ReLU with slope 0.01 ${withInterval(small.median, show)}; predicted: ${show(plain.predicted!)} and ${show(small.predicted!)}. With He: ${withInterval(plainHe.median, fixed(2))} and ${withInterval(smallHe.median, fixed(2))}; predicted: 1 and 1. Medians of ${NETWORKS} networks with 95 % intervals.`,
      details: [
        {
          caption: `What ${LOOK} layers leave of a gradient's norm: root mean square over the networks, and what is predicted`,
          head: ["activation", ...INITS.flatMap(({ name }) => [name.split(",")[0]!, "predicted"])],
          rows: ACTIVATIONS.map(({ name }) => [
            name,
            ...INITS.flatMap((_, i) => {
              const { rootMeanSquare, predicted } = cell(name, i);
              return [show(rootMeanSquare.middle), predicted === undefined ? "" : show(predicted)];
            }),
          ]),
        },
        `The prediction ((1 + slope²) n Var / 2)^(layers / 2) is right: up to ${LOOK} layers, the factor of one layer differs from it by ${(100 * worst).toFixed(2)} % at most, and that is sampling error. It has no term for sigmoid and tanh, whose slopes depend on where they are.`,
        `A slope of 0.01 is too small to matter: (1 + 0.01²) / 2 is 0.50005 in the place of 0.5. A slope of 0.3 makes it 0.545, which is ${show(large.predicted!)} instead of ${show(plain.predicted!)} after ${LOOK} layers: still nothing that one can learn from.`,
        `**A surprise: the mean is right, and a typical network is below it.** With He and slope 0.01, 100 layers leave a root mean square of ${withInterval(deep.rootMeanSquare, fixed(2))}, as predicted, and a median of ${withInterval(deep.median, fixed(2))}. The logarithm of the norm is spread with a variance that grows as depth over width (Hanin 2018): a few networks with large gradients make up the mean. Narrower or deeper networks stray farther, whatever the activation.`,
        `Fair to the rivals: tanh with Xavier leaves ${withInterval(cell("tanh", 1).median, fixed(2))} after ${LOOK} layers, thousands of times more than ReLU or Leaky ReLU at the same variance, since its slope is 1 around 0. Only sigmoid, whose slope is 1/4 at most, has no initialisation here that helps; [larger weights](#faster-than-sigmoid-and-tanh-on-small-data) do, to a degree.`,
      ],
    };
  },
  draw(cells) {
    const powers = (init: string): { from: number; to: number } =>
      init.startsWith("He")
        ? { from: 1e-6, to: 1e4 }
        : { from: init.startsWith("Xavier") ? 1e-20 : 1e-40, to: 10 };
    return {
      title: "What is left of a gradient after so many layers",
      description: `The norm of a gradient in front of the first layer over that behind the last, over 5 to 100 layers, under three initialisations. Under the naive one and Xavier, ReLU and Leaky ReLU fall alike, whatever the slope; under He they stay near 1. tanh stays near 1 under Xavier. Sigmoid falls under all.`,
      columns: 3,
      panels: INITS.map(
        ({ name }): Panel => ({
          title: name,
          x: {
            label: "layers",
            from: 0,
            to: 102,
            ticks: [0, 20, 40, 60, 80, 100].map((value) => ({ value, label: String(value) })),
          },
          y: { label: "median and quartiles", log: true, ...powers(name) },
          series: ACTIVATIONS.map((activation, look) => {
            const own = cells.filter((cell) => cell.init === name && cell.activation === activation.name);
            const measured = {
              name: activation.name,
              kind: "line" as const,
              look,
              points: own.map(({ depth, quartiles: { middle, low, high } }) => ({
                x: depth,
                y: middle,
                low,
                high,
              })),
            };
            return measured;
          }),
        }),
      ),
    };
  },
});
