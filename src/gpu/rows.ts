/**
 * @file Programs that go along rows, as kernels over arrays that stay on the device: the passes of `ops/row-plan.ts`.
 *
 * ```text
 *   softmax    max of parts of each row          W parts of a row, about as many as each has elements
 *              values of rows: the max of those
 *              sum of exp(x - max) of parts
 *              values of rows: those before, and the sum
 *              output: exp(x - max) / sum
 *   values     | max of row 0, of row 1, … | sum of row 0, of row 1, … |
 * ```
 *
 * Sums are added in groups of 32, as in `sums.ts`: of a row of up to 1024 elements a term goes through 64 additions at most,
 * of one of 65,536 elements through 80.
 */
import type { Channels } from "../formats/layout.ts";
import type { Num, ReduceFn } from "../ops/expr.ts";
import type { Program } from "../ops/program.ts";
import { type Pass, planOf } from "../ops/row-plan.ts";
import { postorder } from "../ops/walk.ts";
import { elementsOf, type RowValues, rowsOf, rowValue } from "./elements.ts";
import { elementwiseStep } from "./elementwise.ts";
import type { KernelStep } from "./kernel-source.ts";
import { KernelText, type Parameter } from "./source.ts";
import { sumStep } from "./sums.ts";

const GROUP = 32;
/** Rows of up to so many elements have parts of at most 2^shift elements; longer ones have parts of 2^14. */
const PARTS = [
  { length: 2 ** 10, shift: 5 },
  { length: 2 ** 16, shift: 8 },
  { length: 2 ** 22, shift: 11 },
] as const;
const LAST_SHIFT = 14;

function partsOf(rowLength: number): number {
  const shift = PARTS.find(({ length }) => rowLength <= length)?.shift ?? LAST_SHIFT;
  return Math.ceil(rowLength / 2 ** shift);
}

/** The same as text. */
const PARTS_OF = `function partsOf(n) { return ${PARTS.reduceRight(
  (otherwise, { length, shift }) => `(n <= ${length} ? (n + ${2 ** shift - 1}) >> ${shift} : ${otherwise})`,
  `(n + ${2 ** LAST_SHIFT - 1}) >> ${LAST_SHIFT}`,
)}; }`;

/** The steps of a row-wise program. Division is by each element: a reciprocal would be rounded twice. */
export function rowSteps(program: Program, channels: Channels | null): readonly KernelStep[] {
  const computed = { output: program.output, terms: program.sums.map(({ term }) => term) };
  const { passes, row } = planOf(program, computed, false, false);
  const lastUse = lastUses(passes);
  const steps: KernelStep[] = [];
  let values: RowValues = { step: undefined, length: row, inputs: [] };
  /** Adds a value, and drops those that no pass from `pass` on reads. */
  const append = (to: number, pass: number, make: (next: Appended) => KernelStep): void => {
    const kept = values.inputs.filter((index) => (lastUse.get(index) ?? -1) >= pass);
    const step = steps.push(make({ program, before: values, kept })) - 1;
    values = { step, length: row, inputs: [...kept, to] };
  };
  for (const [p, { before, reduces, output, terms }] of passes.entries()) {
    for (const { to, value } of before) append(to, p, (next) => valueStep(next, value));
    // All of them read what was there before this pass.
    const known = values;
    const parts = reduces.map(
      ({ fn, value }) => steps.push(partStep(program, fn, value, channels, known)) - 1,
    );
    for (const [i, { fn, to }] of reduces.entries())
      append(to, p + 1, (next) => foldStep(next, fn, parts[i]!));
    if (!output) continue;
    steps.push(elementwiseStep(program, output, channels, values));
    steps.push(...terms.map((term, index) => sumStep(program, index, term, channels, values)));
  }
  return steps;
}

/** The last pass that reads an input. */
function lastUses(passes: readonly Pass[]): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  for (const [p, { before, reduces, output, terms }] of passes.entries()) {
    const read = [
      ...[...before, ...reduces].map(({ value }) => value),
      ...(output ? [output] : []),
      ...terms,
    ];
    for (const node of postorder(...read)) if (node.kind === "input") last.set(node.index, p);
  }
  return last;
}

/** What a step that appends a value starts from. */
interface Appended {
  readonly program: Program;
  readonly before: RowValues;
  /** Inputs that stay. */
  readonly kept: readonly number[];
}

/** Appends to the values of rows one that is computed from them. */
function valueStep(next: Appended, value: Num): KernelStep {
  const text = new KernelText();
  const row = rowOf(text, next);
  const { lines, names } = text.compute([value], (index) => rowValue(text, next.before, index, row));
  return appending(text, next, [], [...lines, `return ${names[0]};`]);
}

/** Appends to the values of rows what their parts give together. */
function foldStep(next: Appended, fn: ReduceFn, parts: number): KernelStep {
  const text = new KernelText();
  text.declare("partsOf", PARTS_OF);
  const start = `(${rowOf(text, next)}) * partsOf(rowLength)`;
  const body = fold(fn, text, (k) => ({
    inside: `${k} < partsOf(rowLength)`,
    lines: [],
    value: `parts[${start} + ${k}]`,
  }));
  return appending(text, next, [parts], body);
}

/** The row whose value a thread appends. */
const rowOf = (text: KernelText, { kept }: Appended): string =>
  `this.thread.x - ${kept.length} * ${rowsOf(text)}`;

function appending(
  text: KernelText,
  { program, before, kept }: Appended,
  parts: readonly number[],
  body: readonly string[],
): KernelStep {
  const data = Array.from({ length: program.inputs }, (_, i): Parameter => [`x${i}`, "table"]);
  const rows = before.step === undefined ? [] : [before.step];
  const takes = ["length", "rowLength"] as const;
  const parameters = [
    ...data,
    ...rows.map((): Parameter => ["rows", "table"]),
    ...parts.map((): Parameter => ["parts", "table"]),
    ...takes.map((name): Parameter => [name, "integer"]),
  ];
  const copies = kept.map((index, at) => {
    const moved = before.inputs.indexOf(index) - at;
    const from = `this.thread.x + ${moved} * ${rowsOf(text)}`;
    return `if (this.thread.x < ${at + 1} * ${rowsOf(text)}) { return rows[${from}]; }`;
  });
  return {
    kernel: text.build(parameters, [...copies, ...body]),
    reads: [...rows, ...parts],
    takes,
    resultLength: ({ length, rowLength }) => (kept.length + 1) * (length / rowLength),
    result: { kind: "inner" },
  };
}

/** What each part of each row gives. */
function partStep(
  program: Program,
  fn: ReduceFn,
  value: Num,
  channels: Channels | null,
  values: RowValues,
): KernelStep {
  const text = new KernelText();
  text.declare("partsOf", PARTS_OF);
  const elements = elementsOf(program, channels, values, "table", ["rowLength"]);
  const parts = "partsOf(rowLength)";
  // Neighbours are in different parts, for neighbouring threads read at the same time.
  const part = text.remainder("this.thread.x", parts);
  const start = `${text.quotient("this.thread.x", parts)} * rowLength`;
  const body = fold(fn, text, (k) => {
    const place = `${part} + ${k} * ${parts}`;
    const { lines, names } = text.compute([value], elements.read(text, `${start} + ${place}`));
    return { inside: `${place} < rowLength`, lines, value: names[0]! };
  });
  return {
    kernel: text.build(elements.parameters, body),
    reads: elements.reads,
    takes: elements.takes,
    resultLength: ({ length, rowLength }) => (length / rowLength) * partsOf(rowLength),
    result: { kind: "inner" },
  };
}

/** One of the numbers that are folded, as text. */
interface Folded {
  /** Whether there is one with this index, and so all before it. */
  readonly inside: string;
  readonly lines: readonly string[];
  readonly value: string;
}

/** The sum or the largest of some numbers. @param number gives the one with index `k` */
function fold(fn: ReduceFn, text: KernelText, number: (k: string) => Folded): string[] {
  const { inside, lines, value } = number(`(a * ${GROUP} + b)`);
  const start = text.hidden(fn === "sum" ? 0 : Number.NEGATIVE_INFINITY);
  const join = (to: string, each: string): string =>
    fn === "sum" ? `${to} += ${each};` : `${to} = ${text.call("most", to, each)};`;
  return [
    `let total = ${start};`,
    `for (let a = 0; ${number(`(a * ${GROUP})`).inside}; a++) {`,
    `  let group = ${start};`,
    `  for (let b = 0; b < ${GROUP}; b++) {`,
    `    if (${inside}) {`,
    ...[...lines, join("group", value)].map((line) => `      ${line}`),
    "    }",
    "  }",
    `  ${join("total", "group")}`,
    "}",
    "return total;",
  ];
}
