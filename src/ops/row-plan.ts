/**
 * @file How a row-wise program goes over a row: in passes, each of which computes the reductions that are ready, and the
 * last of which computes the output. The JavaScript evaluation and the SIMD kernels follow the same plan.
 *
 * ```text
 *   softmax   pass 0   m = max x_i
 *             pass 1   e_i = exp(x_i - m), stored;  s = sum e_i      between the passes: r = 1 / s, once a row
 *             pass 2   y_i = e_i * r
 * ```
 */
import { computationOf } from "./compute.ts";
import type { Dtype } from "./dtype.ts";
import { div, input, mul, type Num, type Reduce, type ReduceFn } from "./expr.ts";
import { Interner } from "./intern.ts";
import type { Program } from "./program.ts";
import { rewrite } from "./rewrite.ts";
import { chooseStores } from "./row-stores.ts";
import { grainOf } from "./shards.ts";
import { type Expr, operands, postorder } from "./walk.ts";

/**
 * The expressions of a plan are elementwise. Of the program they keep `input(0)` to `input(inputs + channels - 1)`; behind
 * these stand the stored values of the element, `input(stored + k)`, and then what is the same for the whole row:
 * `input(row)` is its length, `input(row + k)` are sums, maxima and what follows from them.
 */
export interface RowPlan {
  readonly stored: number;
  readonly row: number;
  /** How many values of the row there are. */
  readonly rowValues: number;
  readonly passes: readonly Pass[];
}

/** One way over the elements of a row. The last pass has no reductions; it computes the output and the terms. */
export interface Pass {
  /** Computed once, before the pass: expressions of values of the row. */
  readonly before: readonly Assignment[];
  /** Values of the row that this pass makes of all its elements. */
  readonly reduces: readonly (Assignment & { readonly fn: ReduceFn })[];
  /** Values of each element that later passes read again. */
  readonly stores: readonly Assignment[];
  readonly output?: Num;
  readonly terms: readonly Num[];
}

/** `input(to)` becomes `value`. */
export interface Assignment {
  readonly to: number;
  readonly value: Num;
}

/** Whether an element depends on its whole row. */
export function isRowWise({ output, sums }: Program): boolean {
  return hasRows(output, ...sums.map(({ term }) => term));
}

/** The same of expressions. */
export function hasRows(...expressions: readonly Num[]): boolean {
  return postorder(...expressions).some(({ kind }) => kind === "reduce" || kind === "rowLength");
}

/**
 * Elements at whose multiples a run of rows may be cut: one row, or, for sums, about as many elements as for other
 * programs. A run that is one row (`rowLength` is null) is never cut.
 */
export function rowGrain(
  program: Program,
  channels: { readonly count: number; readonly stride: number } | null,
  rowLength: number | null,
): number {
  if (rowLength === null) return Number.POSITIVE_INFINITY;
  const length = Math.max(1, rowLength);
  return length * Math.max(1, Math.ceil(grainOf(program, channels) / length));
}

const known = new WeakMap<Program, Map<string, RowPlan>>();

/**
 * The plan of a row-wise program. Without `stores` nothing is stored: what a later pass needs it computes again, to the
 * same bits.
 */
export function rowPlan(program: Program, dtype: Dtype, stores = true): RowPlan {
  const key = `${dtype} ${stores}`;
  const plans = known.get(program) ?? new Map<string, RowPlan>();
  known.set(program, plans);
  const plan = plans.get(key) ?? planOf(program, computationOf(program, dtype), dtype !== "float64", stores);
  plans.set(key, plan);
  return plan;
}

/**
 * A plan for what is computed of a program.
 *
 * @param dividesOnce whether a division by what a row shares may become a product with its reciprocal
 * @param mayStore whether passes may store values of elements
 */
export function planOf(
  program: Program,
  computed: { readonly output: Num; readonly terms: readonly Num[] },
  dividesOnce: boolean,
  mayStore: boolean,
): RowPlan {
  const nodes = new Interner();
  const own = (expression: Num): Num => nodes.copy(expression, (leaf) => leaf);
  const simple = (expression: Num): Num => own(dividesOnce ? divideOnce(own(expression)) : expression);
  const output = simple(computed.output);
  const terms = computed.terms.map(simple);

  const order = postorder(output, ...terms);
  const varying = varyingOf(order);
  const reduces = schedule(order);
  const last = reduces.length - 1;
  const roots = reduces.map((each, pass) => (pass < last ? each.map(({ x }) => x) : [output, ...terms]));
  const stores = mayStore ? chooseStores(roots, varying) : roots.map(() => []);

  const stored = program.inputs + program.channels.length;
  const row = stored + stores.flat().length;
  const storedAt = new Map<Num, number>();
  const rowAt = new Map<Num, number>();
  let rowValues = 1;

  const passes = reduces.map((each, pass): Pass => {
    const before: Assignment[] = [];
    const known = (node: Num): Num | undefined => {
      if (node.kind === "rowLength") return input(row);
      const at = storedAt.get(node) ?? rowAt.get(node);
      return at === undefined ? undefined : input(at);
    };
    /** Leaves of this pass: what is known, and what the whole row shares, which is computed before. */
    const leaf = (node: Num): Num | undefined => {
      const leaf = known(node);
      if (leaf || varying.has(node) || node.kind === "const") return leaf;
      const to = row + rowValues++;
      before.push({ to, value: own(rewrite(node, (same) => same, known)) });
      rowAt.set(node, to);
      return input(to);
    };
    const cut = (node: Num): Num => own(rewrite(node, (same) => same, leaf));
    const made = {
      reduces: each.map((reduce) => ({ fn: reduce.fn, value: cut(reduce.x), node: reduce })),
      stores: stores[pass]!.map((node) => ({ value: cut(node), node })),
      ...(pass === last ? { output: cut(output), terms: terms.map(cut) } : { terms: [] }),
    };
    const assign = <Made extends { value: Num; node: Num }>(
      things: readonly Made[],
      places: Map<Num, number>,
      next: () => number,
    ): (Omit<Made, "node"> & { to: number })[] =>
      things.map(({ node, ...rest }) => {
        const to = next();
        places.set(node, to);
        return { ...rest, to };
      });
    return {
      ...made,
      before,
      reduces: assign(made.reduces, rowAt, () => row + rowValues++),
      stores: assign(made.stores, storedAt, () => stored + storedAt.size),
    };
  });
  return { stored, row, rowValues, passes };
}

/** Whether a node differs from element to element, by whether its operands do; a reduction does not, whatever it reads. */
function isVarying(node: Expr, varying: ReadonlySet<Expr>): boolean {
  if (node.kind === "input") return true;
  return node.kind !== "reduce" && operands(node).some((operand) => varying.has(operand));
}

function varyingOf(order: readonly Expr[]): ReadonlySet<Expr> {
  const varying = new Set<Expr>();
  for (const node of order) if (isVarying(node, varying)) varying.add(node);
  return varying;
}

/**
 * Divides by what is the same for a whole row by one division: the product with the reciprocal is off by a unit of float64
 * or two, which rounding to float32 hides. Only a divisor so near 0 that its reciprocal overflows gives another result.
 */
function divideOnce(expression: Num): Num {
  const varying = new Set<Expr>();
  return rewrite(expression, (node) => {
    for (const operand of operands(node)) {
      if (operand.kind === "compare" && isVarying(operand, varying)) varying.add(operand);
    }
    if (!isVarying(node, varying)) return node;
    const isByRow = node.kind === "binary" && node.fn === "div" && !varying.has(node.b);
    const same = isByRow && node.b.kind !== "const" ? mul(node.a, div(1, node.b)) : node;
    varying.add(same);
    return same;
  });
}

/** The reductions of each pass; the last pass has none. */
function schedule(order: readonly Expr[]): Reduce[][] {
  /** The first pass in which a node can be computed. */
  const passOf = new Map<Expr, number>();
  const passes: Reduce[][] = [[]];
  for (const node of order) {
    const ready = Math.max(0, ...operands(node).map((operand) => passOf.get(operand)!));
    passOf.set(node, node.kind === "reduce" ? ready + 1 : ready);
    if (node.kind !== "reduce") continue;
    passes[ready]!.push(node);
    passes[ready + 1] ??= [];
  }
  return passes;
}
