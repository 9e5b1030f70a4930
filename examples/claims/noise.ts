/**
 * @file What wrong labels and noisy inputs do to networks, by activation.
 *
 *     npx tsx examples/claims/noise.ts
 */
import type { Panel } from "./support/chart.ts";
import {
  accuracyOf,
  CLASSES,
  type Digits,
  drawRows,
  loadDigits,
  type Rows,
  writeRows,
} from "./support/digits.ts";
import type { TextTable } from "./support/finding.ts";
import { present } from "./support/present.ts";
import { fillNormal, keyOf, shuffled, uniformAt } from "./support/random.ts";
import { chooseRate, RATES } from "./support/rates.ts";
import { compare, type Figure, medianFigure, signTest } from "./support/statistics.ts";
import { fixed, percent, withInterval } from "./support/text.ts";
import { ACTIVATIONS, type Budget, denseNetwork, mapTwo, trainOn } from "./support/training.ts";

const FLIPPED = [0, 0.1, 0.2, 0.3, 0.4];
/** Standard deviations of a pixel. */
const NOISE = [0.5, 1, 1.5];
const [DEPTH, WIDTH, ROWS, SEEDS] = [3, 64, 1000, 10];
const BUDGET: Budget = { batch: 50, epochs: 40 };

interface Harm {
  /** The share of training labels that are wrong. */
  readonly flipped: number;
  /** On the pixels of all rows, also of those held out. */
  readonly noise: number;
}

interface Cell extends Harm {
  readonly activation: string;
  readonly rate: number;
  readonly heldOut: readonly number[];
  readonly heldOutFigure: Figure;
  /** Of the training rows with their labels as they were given, the share that is right in the last epoch. */
  readonly fittedFigure: Figure;
}

/** Exactly this share of the labels becomes another class. */
function flip(labels: Uint8Array, share: number, seed: number): Uint8Array {
  const result = labels.slice();
  const order = shuffled(labels.length, keyOf(seed, 1));
  for (const row of order.slice(0, Math.round(share * labels.length))) {
    const step = 1 + Math.floor((CLASSES - 1) * uniformAt(keyOf(seed, 2), row));
    result[row] = (labels[row]! + step) % CLASSES;
  }
  return result;
}

function disturb(images: Float32Array, noise: number, seed: number): Float32Array {
  const added = fillNormal(new Float32Array(images.length), keyOf(seed, 3), noise);
  return noise === 0 ? images : added.map((value, i) => value + images[i]!);
}

async function measure(quick: boolean): Promise<readonly Cell[]> {
  const digits = loadDigits();
  const harms: Harm[] = [
    ...FLIPPED.map((flipped) => ({ flipped, noise: 0 })),
    ...NOISE.map((noise) => ({ flipped: 0, noise })),
  ].slice(0, quick ? 2 : undefined);
  const rates = await mapTwo(ACTIVATIONS, (activation) =>
    chooseRate(digits, () => denseNetwork(DEPTH, WIDTH, activation), 20, quick),
  );
  const cells: Cell[] = [];
  for (const harm of harms) cells.push(...(await measureHarm(digits, harm, rates, quick)));
  return cells;
}

async function measureHarm(
  digits: Digits,
  harm: Harm,
  rates: readonly number[],
  quick: boolean,
): Promise<Cell[]> {
  const budget = quick ? { ...BUDGET, epochs: 3 } : BUDGET;
  const name = `${harm.flipped}-${harm.noise}`;
  const heldOut: Rows = {
    images: disturb(digits.heldOut.images, harm.noise, 4001),
    labels: digits.heldOut.labels,
  };
  const paths = Array.from({ length: quick ? 2 : SEEDS }, (_, seed) => {
    const { images, labels } = drawRows(digits, ROWS, seed);
    const rows = { images: disturb(images, harm.noise, seed), labels: flip(labels, harm.flipped, seed) };
    return writeRows(`${name}-${seed}`, rows);
  });
  const cells: Cell[] = [];
  for (const [i, activation] of ACTIVATIONS.entries()) {
    const rate = rates[i]!;
    const runs = await mapTwo([...paths.entries()], async ([seed, path]) => {
      const { model, accuracies } = await trainOn(
        path,
        denseNetwork(DEPTH, WIDTH, activation),
        budget,
        rate,
        seed,
      );
      return { right: accuracyOf(model, heldOut), fitted: accuracies.at(-1)! };
    });
    const right = runs.map((run) => run.right);
    cells.push({
      ...{ ...harm, activation: activation.name, rate, heldOut: right, heldOutFigure: medianFigure(right) },
      fittedFigure: medianFigure(runs.map(({ fitted }) => fitted)),
    });
  }
  return cells;
}

const isOf =
  (activation: string, { flipped, noise }: Harm) =>
  (cell: Cell): boolean =>
    cell.activation === activation && cell.flipped === flipped && cell.noise === noise;

await present<readonly Cell[]>({
  name: "noise",
  title: "Noise and overfitting",
  said: "A slope below 0 makes networks overfit less: Leaky ReLU with a larger slope beats ReLU on small and noisy data, and PReLU overfits.",
  sources: [
    "B. Xu, N. Wang, T. Chen, M. Li: Empirical Evaluation of Rectified Activations in Convolutional Network (2015), [arXiv 1505.00853](https://arxiv.org/abs/1505.00853): on small data sets larger slopes are better than ReLU, and PReLU overfits",
    "C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals: Understanding deep learning requires rethinking generalization (2016), [arXiv 1611.03530](https://arxiv.org/abs/1611.03530): networks fit wrong labels, whatever is done",
  ],
  method: `Dense networks with ${DEPTH} hidden layers of ${WIDTH}, ${ROWS.toLocaleString("en")} digits of 14 × 14 pixels, ${BUDGET.epochs} epochs in batches of ${BUDGET.batch} without any regularisation, so that they can overfit. Adam; the learning rate is the most accurate one of ${RATES.join(", ")} for each activation, found on clean rows that are not used again. A share of the training labels becomes another class; the 2,000 rows held out keep theirs. Or normally distributed noise is added to every pixel, of the training rows and of those held out, in units of a pixel's standard deviation. ${SEEDS} seeds, the same rows and the same harm for all activations.`,
  measure,
  find(cells) {
    const harms = cells.filter(({ activation }) => activation === "ReLU");
    const [leastFitted] = cells
      .map(({ fittedFigure }) => fittedFigure)
      .sort((a, b) => a.middle - b.middle) as [Figure];
    const against = (of: string, rival: string) => {
      const results = harms.map((harm) =>
        signTest(cells.find(isOf(of, harm))!.heldOut, cells.find(isOf(rival, harm))!.heldOut),
      );
      const differences = harms.map(
        (harm) => compare(cells.find(isOf(of, harm))!.heldOut, cells.find(isOf(rival, harm))!.heldOut).median,
      );
      const count = (result: number): number => results.filter((each) => each === result).length;
      return {
        ...{ better: count(1), worse: count(-1), of: harms.length },
        range: `${fixed(1)(100 * Math.min(...differences))} to ${fixed(1)(100 * Math.max(...differences))}`,
      };
    };
    const [slope, learned] = [against("Leaky ReLU 0.2", "ReLU"), against("PReLU", "ReLU")];
    const [small, smooth] = [against("Leaky ReLU 0.01", "ReLU"), against("tanh", "Leaky ReLU 0.2")];
    const sigmoid = against("sigmoid", "ReLU");
    const holds = slope.better > slope.of / 2 && slope.worse === 0;
    const worst = harms.findLast(({ noise }) => noise === 0)!;
    const show = (name: string): string =>
      withInterval(cells.find(isOf(name, worst))!.heldOutFigure, percent(1));
    const text = ({ flipped, noise }: Harm): string =>
      noise > 0 ? `noise ${noise}` : `${percent(0)(flipped)} % wrong`;
    const table = (caption: string, figure: (cell: Cell) => Figure): TextTable => ({
      caption,
      head: ["activation", ...harms.map(text)],
      rows: ACTIVATIONS.map(({ name }) => [
        name,
        ...harms.map((harm) => withInterval(figure(cells.find(isOf(name, harm))!), percent(1))),
      ]),
    });
    const told = ({ better, worse, of, range }: ReturnType<typeof against>): string =>
      `better in ${better} and worse in ${worse} of ${of} cells, by ${range} points`;
    return {
      verdict: holds && learned.worse > learned.of / 2 ? "holds" : holds ? "holds if" : "does not hold",
      because: holds
        ? "The slope is fixed and large: 0.2 is better than ReLU in most cells. That PReLU overfits more does not show here."
        : "No slope, fixed or learned, is better than ReLU in most cells: what wrong labels do, they do to all of them.",
      figure: `${text(worst)} labels, held out: ReLU ${show("ReLU")} %, Leaky ReLU 0.2 ${show("Leaky ReLU 0.2")} %, PReLU ${show("PReLU")} %, tanh ${show("tanh")} %, sigmoid ${show("sigmoid")} %. Medians of ${SEEDS} seeds with 97.9 % intervals.`,
      details: [
        `Against ReLU, by a sign test over the seeds (p < 5 % in each cell; points of accuracy are medians of pairs): Leaky ReLU 0.01 ${told(small)}; Leaky ReLU 0.2 ${told(slope)}; PReLU ${told(learned)}; sigmoid ${told(sigmoid)}. tanh against Leaky ReLU 0.2: ${told(smooth)}.`,
        table("Accuracy on the rows held out, in %", ({ heldOutFigure }) => heldOutFigure),
        table(
          "Training rows that fit their labels, right or wrong, in the last epoch, in %",
          ({ fittedFigure }) => fittedFigure,
        ),
        `${
          leastFitted.middle > 0.9
            ? `All of them learn the wrong labels by heart: in the last epoch, ${percent(0)(leastFitted.middle)} % of the training rows or more fit what they were told, whatever the activation, as Zhang et al. found. That is what costs accuracy, more than any choice of activation does`
            : `How far wrong labels are learned by heart differs: from ${percent(0)(leastFitted.middle)} % of the training rows on, and with it what is lost`
        }; fewer epochs, or patience on rows held out, would help all of them. Xu et al. saw their differences in deep convolutional networks on photographs; here are digits and ${DEPTH} dense layers. Learning rates: ${ACTIVATIONS.map(({ name }) => `${name} ${cells.find(({ activation }) => activation === name)!.rate}`).join(", ")}.`,
      ],
    };
  },
  draw(cells) {
    const series = (of: (cell: Cell) => boolean, x: (cell: Cell) => number, step: number): Panel["series"] =>
      ACTIVATIONS.map(({ name }, look) => ({
        name,
        look,
        kind: "line" as const,
        points: cells
          .filter((cell) => cell.activation === name && of(cell))
          .map((cell) => {
            const { middle, low, high } = cell.heldOutFigure;
            return { x: x(cell) + (look - 2.5) * step, y: 100 * middle, low: 100 * low, high: 100 * high };
          }),
      }));
    return {
      title: "Accuracy held out, with wrong labels and with noisy pixels",
      description: `Median accuracy over ${SEEDS} seeds with intervals: on the left with 0 to 40 % of the training labels wrong, on the right with noise of 0 to 1.5 standard deviations on the pixels. All activations fall together; differences between them are small beside the fall.`,
      columns: 2,
      panels: [
        {
          title: "wrong labels",
          x: { label: "training labels that are wrong, %", from: -2, to: 42 },
          y: { label: "held out, %", from: 40, to: 100 },
          series: series(
            ({ noise }) => noise === 0,
            ({ flipped }) => 100 * flipped,
            0.35,
          ),
        },
        {
          title: "noisy pixels",
          x: { label: "noise, in standard deviations of a pixel", from: -0.08, to: 1.58 },
          y: { label: "held out, %", from: 40, to: 100 },
          series: series(
            ({ flipped }) => flipped === 0,
            ({ noise }) => noise,
            0.014,
          ),
        },
      ],
    };
  },
});
