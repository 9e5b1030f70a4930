/**
 * @file How an expression changes when parts of it change: forward-mode differentiation, by the table of
 * `derivatives.ts`.
 *
 * An op's gradient is `dx = dy * f'(x)`. For an elementwise f that is also how f(x) changes when x changes by dy, so dy
 * itself is sent through the rules, and no factor of 0 or 1 ever meets it: `where(gt(x, 0), x, mul(alpha, x))` becomes
 * `where(gt(x, 0), dy, mul(alpha, dy))`, which is PyTorch's gradient bit for bit, also for NaN, infinities and -0.
 */
import { UnsupportedError } from "../errors.ts";
import { binaryDerivatives, orZero, type Tangent, unaryDerivatives } from "./derivatives.ts";
import { isBits, type Num, where } from "./expr.ts";
import { postorder } from "./walk.ts";

/**
 * The change of `root` where each node of `seeds` changes by the expression beside it. Rows' sums and maxima that are
 * not among the seeds are taken for constants.
 */
export function tangent(root: Num, seeds: ReadonlyMap<Num, Num>): Tangent {
  const changes = new Map<Num, Tangent>();
  for (const node of postorder(root)) {
    if (node.kind === "compare") continue;
    changes.set(node, seeds.get(node) ?? changeOf(node, (operand) => changes.get(operand)));
  }
  return changes.get(root);
}

function changeOf(node: Num, of: (operand: Num) => Tangent): Tangent {
  switch (node.kind) {
    case "const":
    case "input":
    case "param":
    case "rowLength":
    case "reduce":
      return undefined;
    case "unary": {
      const dx = of(node.x);
      if (!dx) return undefined;
      if (isBits(node.fn)) throw new UnsupportedError(`${node.fn} has no derivative`);
      return unaryDerivatives[node.fn](node.x, dx);
    }
    case "binary": {
      if (node.fn === "derived_as") return of(node.b);
      const [da, db] = [of(node.a), of(node.b)];
      return da || db ? binaryDerivatives[node.fn](node.a, node.b, da, db) : undefined;
    }
    case "fma":
      throw new UnsupportedError("fma has no derivative");
    case "where": {
      const [da, db] = [of(node.a), of(node.b)];
      if (da === db) return da;
      return where(node.test, orZero(da), orZero(db));
    }
  }
}
