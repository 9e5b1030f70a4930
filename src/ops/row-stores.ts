/**
 * @file Which values of an element a pass over a row stores, so that later passes read them: those that take longer to
 * compute again.
 */
import type { Num } from "./expr.ts";
import { type Expr, operands } from "./walk.ts";

/** Arithmetic that costs as much as writing an element and reading it again. */
const WORTH_STORING = 12;
/** A division or a root keeps its unit busy as long as so many multiplications. */
const SLOW = 5;
/** Values that are stored at most for each element of a row. */
const MOST_STORED = 8;

/** Chooses from `roots`, what each pass computes, the values that each pass stores. */
export function chooseStores(roots: readonly (readonly Num[])[], varying: ReadonlySet<Expr>): Num[][] {
  const firstPass = new Map<Expr, number>();
  const stored = new Set<Expr>();
  const stores: Num[][] = roots.map(() => []);
  for (const [pass, starts] of roots.entries()) {
    const seen = new Set<Expr>();
    const toSee: Expr[] = [...starts];
    for (let node = toSee.pop(); node !== undefined; node = toSee.pop()) {
      if (seen.has(node) || stored.has(node) || !varying.has(node)) continue;
      seen.add(node);
      const first = firstPass.get(node);
      if (first === undefined) firstPass.set(node, pass);
      else if (first < pass && node.kind !== "compare" && stored.size < MOST_STORED) {
        if (isCostly(node, varying, stored)) {
          stored.add(node);
          stores[first]!.push(node);
          continue;
        }
      }
      toSee.push(...operands(node));
    }
  }
  return stores;
}

/** Whether computing a value again takes longer than storing it. */
function isCostly(value: Num, varying: ReadonlySet<Expr>, stored: ReadonlySet<Expr>): boolean {
  const seen = new Set<Expr>();
  const toSee: Expr[] = [value];
  let cost = 0;
  for (let node = toSee.pop(); node !== undefined && cost < WORTH_STORING; node = toSee.pop()) {
    if (seen.has(node) || stored.has(node) || !varying.has(node)) continue;
    seen.add(node);
    if (node.kind !== "input") cost += costOf(node);
    toSee.push(...operands(node));
  }
  return cost >= WORTH_STORING;
}

function costOf(node: Expr): number {
  const isSlow =
    (node.kind === "binary" && node.fn === "div") || (node.kind === "unary" && node.fn === "sqrt");
  return isSlow ? SLOW : 1;
}
