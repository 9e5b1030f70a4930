/** @file Numbers, names and expressions as text that a person reads. */
import type { BinaryFn, Comparison, Num } from "./expr.ts";
import type { Expr } from "./walk.ts";

const infix: Partial<Record<BinaryFn | Comparison, string>> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/" },
  ...{ lt: "<", le: "<=", gt: ">", ge: ">=", eq: "==", ne: "!=" },
};

/** How tightly each form binds; an operand that binds looser than its place asks for gets parentheses. */
const CHOICE = 0;
const COMPARISON = 1;
const SUM = 2;
const PRODUCT = 3;
const SIGN = 4;
const ATOM = 5;

/** Longer formulas end in `...`: a chain of thousands of ops has one too. */
const MOST_NODES = 64;

/** The shortest text that reads back as the same number: `0.1`, `-0`, `1e-7`, `inf`. */
export function formatNumber(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return String(value).replace("Infinity", "inf");
}

/** A name or a value for an error message, cut where it is long. */
export function quote(value: unknown): string {
  let text = String(
    typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : value,
  );
  if (typeof value === "string") text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 56)}...`;
}

/** An expression as people write it: `x > 0 ? x : alpha * x`. */
export function formulaOf(expression: Num): string {
  let left = MOST_NODES;

  function print(node: Expr, place: number): string {
    if (left-- <= 0) return "...";
    const [text, binds] = printOpen(node);
    return binds < place ? `(${text})` : text;
  }

  function printOpen(node: Expr): [text: string, binds: number] {
    switch (node.kind) {
      case "const":
        return [formatNumber(node.value), node.value < 0 || Object.is(node.value, -0) ? SIGN : ATOM];
      case "input":
        return [node.index === 0 ? "x" : `x${node.index}`, ATOM];
      case "param":
        return [node.name, ATOM];
      case "rowLength":
        return ["n", ATOM];
      case "reduce":
        return [`row_${node.fn}(${print(node.x, CHOICE)})`, ATOM];
      case "unary":
        if (node.fn === "detach") return printOpen(node.x);
        if (node.fn === "neg") return [`-${print(node.x, ATOM)}`, SIGN];
        return [`${node.fn}(${print(node.x, CHOICE)})`, ATOM];
      case "binary":
      case "compare": {
        if (node.fn === "derived_as") return printOpen(node.a);
        const sign = infix[node.fn];
        if (sign === undefined)
          return [`${node.fn}(${print(node.a, CHOICE)}, ${print(node.b, CHOICE)})`, ATOM];
        const binds = node.kind === "compare" ? COMPARISON : sign === "+" || sign === "-" ? SUM : PRODUCT;
        // Left to right: a - (b - c) needs its parentheses, (a - b) - c does not.
        return [`${print(node.a, binds)} ${sign} ${print(node.b, binds + 1)}`, binds];
      }
      case "fma":
        return [`fma(${print(node.a, CHOICE)}, ${print(node.b, CHOICE)}, ${print(node.c, CHOICE)})`, ATOM];
      case "where":
        return [
          `${print(node.test, COMPARISON)} ? ${print(node.a, COMPARISON)} : ${print(node.b, COMPARISON)}`,
          CHOICE,
        ];
    }
  }

  return print(expression, CHOICE);
}
