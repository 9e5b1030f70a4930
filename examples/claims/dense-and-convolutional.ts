/**
 * @file Whether Leaky ReLU is for convolutional networks alone: the same comparison in dense ones.
 *
 *     npx tsx examples/claims/dense-and-convolutional.ts
 */
import type { Model } from "sluice";
import type { Panel } from "./support/chart.ts";
import { loadDigits } from "./support/digits.ts";
import type { TextTable } from "./support/finding.ts";
import { type Cell, cellOf, learn, trainingSets } from "./support/learning.ts";
import { present } from "./support/present.ts";
import { chooseRate, POINT, RATES } from "./support/rates.ts";
import { compare, medianFigure, signTest, sum } from "./support/statistics.ts";
import { fixed, percent, withInterval } from "./support/text.ts";
import {
  ACTIVATIONS,
  type Activation,
  type Budget,
  convolutionalNetwork,
  denseNetwork,
  mapTwo,
} from "./support/training.ts";

interface Kind {
  readonly name: string;
  readonly network: (depth: number, activation: Activation) => Model;
}

const KINDS: readonly Kind[] = [
  { name: "dense", network: (depth, activation) => denseNetwork(depth, 32, activation) },
  { name: "convolutional", network: (depth, activation) => convolutionalNetwork(depth, 8, activation) },
];
const DEPTHS = [2, 6];
const BUDGETS: ReadonlyMap<number, Budget> = new Map([
  [100, { batch: 20, epochs: 40 }],
  [1000, { batch: 50, epochs: 12 }],
]);
const SEEDS = 10;

interface KindCell extends Cell {
  readonly kind: string;
}

async function measure(quick: boolean): Promise<readonly KindCell[]> {
  const digits = loadDigits();
  const [sizes, depths, seeds] = quick ? [[100], [2], 2] : [[...BUDGETS.keys()], DEPTHS, SEEDS];
  const paths = new Map(sizes.map((rows) => [rows, trainingSets(digits, rows, seeds)]));
  const cells: KindCell[] = [];
  for (const { name: kind, network } of KINDS) {
    for (const depth of depths) {
      const rates = await mapTwo(ACTIVATIONS, (activation) =>
        chooseRate(digits, () => network(depth, activation), 10, quick, POINT),
      );
      for (const [i, activation] of ACTIVATIONS.entries()) {
        for (const rows of sizes) {
          const budget = quick ? { batch: 20, epochs: 3 } : BUDGETS.get(rows)!;
          const own = () => network(depth, activation);
          const learning = await learn(paths.get(rows)!, own, budget, rates[i]!, digits.heldOut);
          cells.push({ kind, activation: activation.name, depth, rows, ...learning });
        }
      }
    }
  }
  return cells;
}

const rivals = ["sigmoid", "tanh", "ReLU"];
const SUBJECTS = ["Leaky ReLU 0.01", "Leaky ReLU 0.2"];

await present<readonly KindCell[]>({
  name: "dense-and-convolutional",
  title: "For convolutional networks only",
  said: "Leaky ReLU suits convolutional and recurrent networks, not fully connected ones.",
  sources: [
    "A. L. Maas, A. Y. Hannun, A. Y. Ng: Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013): Leaky ReLU was brought in for fully connected networks",
    "B. Xu, N. Wang, T. Chen, M. Li: Empirical Evaluation of Rectified Activations in Convolutional Network (2015), [arXiv 1505.00853](https://arxiv.org/abs/1505.00853)",
  ],
  method: `Training sets of 100 and 1,000 digits of 14 × 14 pixels, 2,000 held out; ${DEPTHS.join(" and ")} hidden layers, dense (32 neurons) or convolutional (8 filters of 3 × 3, the first layer with stride 2). Adam; the learning rate is the largest of ${RATES.join(", ")} whose accuracy is within a point of the best, for each kind, depth and activation, found on other rows and seeds. ${SEEDS} seeds, the same for all. Budget: ${[...BUDGETS].map(([rows, { epochs, batch }]) => `${epochs} epochs of ${rows.toLocaleString("en")} rows in batches of ${batch}`).join(", ")}. Recurrent networks are not measured: Sluice has none.`,
  measure,
  find(cells) {
    const ofKind = (kind: string): readonly KindCell[] => cells.filter((cell) => cell.kind === kind);
    const places = cells.filter(({ activation }) => activation === "ReLU");
    const of = (kind: string, subject: string, rival: string) => {
      const own = places.filter((place) => place.kind === kind);
      const find = (activation: string, place: Cell): Cell => cellOf(ofKind(kind), activation, place);
      const results = own.map((place) => signTest(find(subject, place).heldOut, find(rival, place).heldOut));
      const differences = own.map(
        (place) => compare(find(subject, place).heldOut, find(rival, place).heldOut).median,
      );
      const count = (result: number): number => results.filter((each) => each === result).length;
      return { better: count(1), worse: count(-1), of: own.length, differences };
    };
    /** Of both slopes against a rival, over all cells of a kind. */
    const score = (kind: string, rival: string) => {
      const each = SUBJECTS.map((subject) => of(kind, subject, rival));
      return {
        wins: sum(each.map(({ better }) => better)),
        losses: sum(each.map(({ worse }) => worse)),
        of: sum(each.map((own) => own.of)),
      };
    };
    const lead = (kind: string): number => {
      const { wins, losses } = score(kind, "ReLU");
      return wins - losses;
    };
    // Only for convolutional ones: it is ahead of ReLU there, and not in dense ones.
    const holds = lead("dense") <= 0 && lead("convolutional") > 0;
    const told = (rival: string): string =>
      KINDS.map(({ name }) => {
        const { wins, losses, of: all } = score(name, rival);
        return `${name} ${wins} won and ${losses} lost of ${all}`;
      }).join(", ");
    const place = places.findLast(({ kind }) => kind === "dense")!;
    const gain = (kind: string, rival: string): string => {
      const [own, other] = ["Leaky ReLU 0.01", rival].map(
        (activation) => cellOf(ofKind(kind), activation, place).heldOut,
      ) as [readonly number[], readonly number[]];
      return withInterval(medianFigure(own.map((value, i) => value - other[i]!)), percent(1));
    };
    const sign = (value: number): string => `${value > 0 ? "+" : ""}${fixed(1)(100 * value)}`;
    const table: TextTable = {
      caption:
        "Points of accuracy held out that Leaky ReLU gains over its rivals: medians of the pairs of seeds, by depth and rows, and in how many cells it is better and worse (sign test, p < 5 %)",
      head: ["", ...KINDS.map(({ name }) => name)],
      rows: SUBJECTS.flatMap((subject) =>
        rivals.map((rival) => [
          `${subject} against ${rival}`,
          ...KINDS.map(({ name }) => {
            const { better, worse, differences } = of(name, subject, rival);
            return `${differences.map(sign).join(", ")} (better ${better}, worse ${worse})`;
          }),
        ]),
      ),
    };
    const head = places
      .filter(({ kind }) => kind === "dense")
      .map(({ depth, rows }) => ({
        depth,
        rows,
        text: `${depth} layers, ${rows.toLocaleString("en")} rows`,
      }));
    const accuracy = ({ name }: Kind): TextTable => ({
      caption: `Accuracy held out, ${name}, in %; median, and from the second to the ninth of ten`,
      head: ["activation", ...head.map(({ text }) => text)],
      rows: ACTIVATIONS.map((activation) => [
        activation.name,
        ...head.map((place) =>
          withInterval(cellOf(ofKind(name), activation.name, place).heldOutFigure, percent(1)),
        ),
      ]),
    });
    return {
      verdict: holds ? "holds" : "does not hold",
      because: holds
        ? "It is ahead of ReLU in convolutional networks and not in dense ones."
        : `Against sigmoid: ${told("sigmoid")} comparisons. Against ReLU: ${told("ReLU")}. Against tanh: ${told("tanh")}. What it is good for, it is good for in both.`,
      figure: `${place.depth} layers and ${place.rows.toLocaleString("en")} rows, points of accuracy that Leaky ReLU 0.01 gains over sigmoid: dense ${gain("dense", "sigmoid")}, convolutional ${gain("convolutional", "sigmoid")}; over ReLU: dense ${gain("dense", "ReLU")}, convolutional ${gain("convolutional", "ReLU")}; over tanh: dense ${gain("dense", "tanh")}, convolutional ${gain("convolutional", "tanh")}. Medians of ${SEEDS} pairs with 97.9 % intervals.`,
      details: [table, ...KINDS.map(accuracy)],
    };
  },
  draw(cells) {
    const places = [...new Set(cells.map(({ depth, rows }) => `${depth} layers, ${rows}`))];
    const panel = ({ name }: Kind): Panel => ({
      title: name,
      x: {
        label: "hidden layers, training rows",
        from: -0.5,
        to: places.length - 0.5,
        ticks: places.map((label, value) => ({ value, label })),
      },
      y: { label: "held out, %", from: 0, to: 100 },
      series: ACTIVATIONS.map((activation, look) => ({
        name: activation.name,
        look,
        kind: "marks" as const,
        points: cells
          .filter((cell) => cell.kind === name && cell.activation === activation.name)
          .map(({ depth, rows, heldOutFigure: { middle, low, high } }) => ({
            x: places.indexOf(`${depth} layers, ${rows}`) + (look - 2.5) * 0.12,
            ...{ y: 100 * middle, low: 100 * low, high: 100 * high },
          })),
      })),
    });
    return {
      title: "Accuracy on digits held out, dense and convolutional",
      description: `Median accuracy over ${SEEDS} seeds with intervals, for each activation, in dense and in convolutional networks of ${DEPTHS.join(" and ")} layers, with 100 and 1,000 training rows. The order of the activations is much the same in both.`,
      columns: 2,
      panels: KINDS.map(panel),
    };
  },
});
