/**
 * @file The text of a chain: `mul(0.5) | leaky_relu(alpha=0.2) | prelu([0.1, 0.2])`.
 *
 * ```text
 *   chain  := op { "|" op }
 *   op     := name [ "(" [ value { "," value } ] ")" ]
 *   value  := [ name "=" ] ( number | "[" number { "," number } "]" )
 *   number := 2  -0.5  +.5  1.  1e-3  inf  -inf
 * ```
 *
 * White space may stand between any two of these. Values without a name come first, in the op's own order. One pass
 * from left to right, each character looked at a fixed number of times.
 */
import { OpSyntaxError, UsageError } from "../errors.ts";
import { bind, type Fault, faultIn, unknownParam } from "./bind.ts";
import { type BoundOp, type OpDefinition, type ParamValue, signatureOf } from "./definition.ts";
import { quote } from "./formula.ts";
import { allOps, findOp, nearestOp } from "./op.ts";

/**
 * Reads a chain of ops.
 *
 * @throws OpSyntaxError that points at the character at fault and, for an unknown name, suggests the nearest.
 */
export function parseChain(text: string): BoundOp[] {
  if (typeof text !== "string") throw new UsageError(`ops must be a text, not ${quote(text)}`);
  return new ChainParser(text).chain();
}

// Each has nothing mandatory after its first repetition, so that it never goes back over what it matched. Names admit
// more than ours use (LeakyReLU, leaky-relu, torch.relu), so that the error can name the whole word.
const SPACE = /\s*/y;
const OP_NAME = /[A-Za-z_][\w.-]*/y;
const PARAM_NAME = /[A-Za-z_][\w-]*/y;
const SIGN = /[+-]/y;
const DIGITS = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;

class ChainParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  chain(): BoundOp[] {
    this.#skipSpace();
    if (this.#atEnd()) this.#fail("no op is given", 0, 'Name at least one, as in "leaky_relu(alpha=0.1)".');
    const ops = [this.#op()];
    while (!this.#atEnd()) {
      const bar = this.#at;
      if (!this.#take("|")) {
        this.#fail(`expected "|" or the end, found ${this.#found()}`, bar, 'Ops are separated by "|".');
      }
      if (this.#atEnd()) this.#fail('there is no op after this "|"', bar, "Add one, or remove it.");
      ops.push(this.#op());
    }
    return ops;
  }

  #op(): BoundOp {
    const start = this.#at;
    const name = this.#match(OP_NAME);
    if (name === undefined) this.#fail(`expected the name of an op, found ${this.#found()}`, start);
    const op = findOp(name);
    if (op === undefined) {
      const meant = nearestOp(name);
      const known = allOps().map((each) => each.name);
      const remedy = meant === undefined ? `Known ops: ${known.join(", ")}.` : `Did you mean ${meant}?`;
      this.#fail(`unknown op ${quote(name)}`, start, remedy);
    }
    let end = this.#at;
    this.#skipSpace();
    const values = new Map<string, ParamValue>();
    const places = new Map<string, number>();
    if (this.#take("(")) end = this.#values(op, values, places);
    const bound = Object.fromEntries(values);
    const fault = faultIn(op, bound);
    // A missing value is missing where the values end.
    if (fault !== undefined) this.#failWith(fault, places.get(fault.param ?? "") ?? end);
    return bind(op, bound);
  }

  /** Fills in `values`, and `places` with where each stands; returns the place of the closing parenthesis. */
  #values(op: OpDefinition, values: Map<string, ParamValue>, places: Map<string, number>): number {
    let named = false;
    for (let count = 0; ; count++) {
      const start = this.#at;
      if (count === 0 && this.#take(")")) return start;
      const name = this.#paramName();
      if (name === undefined) {
        if (named) {
          const remedy = "Values without a name come first.";
          this.#fail("a value without a name stands after a named one", start, remedy);
        }
        const param = op.params[count];
        const value = this.#value(op);
        if (param === undefined) this.#fail(tooMany(op), start, `Write ${signatureOf(op)}.`);
        values.set(param.name, value);
        places.set(param.name, start);
      } else {
        named = true;
        if (!op.params.some((spec) => spec.name === name)) this.#failWith(unknownParam(op, name), start);
        if (values.has(name)) this.#fail(`${name} is given twice`, start, "Remove one of the two.");
        const place = this.#at;
        values.set(name, this.#value(op));
        places.set(name, place);
      }
      const end = this.#at;
      if (this.#take(")")) return end;
      if (!this.#take(",")) {
        const remedy = this.#atEnd() ? 'Close the values with ")".' : undefined;
        this.#fail(`expected "," or ")", found ${this.#found()}`, end, remedy);
      }
    }
  }

  /** The name in `name = value`, and moves to the value; undefined, without moving, when there is no `name =`. */
  #paramName(): string | undefined {
    const start = this.#at;
    const name = this.#match(PARAM_NAME);
    if (name !== undefined) {
      this.#skipSpace();
      if (this.#take("=")) return name;
    }
    this.#at = start;
    return undefined;
  }

  #value(op: OpDefinition): ParamValue {
    if (!this.#take("[")) return this.#number(op);
    const list: number[] = [];
    for (;;) {
      list.push(this.#number(op));
      if (this.#take("]")) return list;
      if (!this.#take(",")) this.#fail(`expected "," or "]", found ${this.#found()}`, this.#at);
    }
  }

  #number(op: OpDefinition): number {
    const start = this.#at;
    const sign = this.#match(SIGN) === "-" ? -1 : 1;
    const digits = this.#match(DIGITS);
    const word = digits === undefined ? this.#match(PARAM_NAME)?.toLowerCase() : undefined;
    let size = Number(digits);
    if (digits === undefined) {
      if (word === "nan") this.#fail("a parameter cannot be NaN", start);
      if (word !== "inf" && word !== "infinity") {
        this.#at = start;
        this.#fail(`expected a number, found ${this.#found()}`, start, `Write ${signatureOf(op)}.`);
      }
      size = Number.POSITIVE_INFINITY;
    } else if (size === Number.POSITIVE_INFINITY) {
      this.#fail("this number is too large", start, "The largest is about 1.8e308; write inf for infinity.");
    }
    this.#skipSpace();
    return sign * size;
  }

  /** Moves past `character` and the white space behind it, if it is next. */
  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0];
    this.#at += text?.length ?? 0;
    return text;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** What stands here, for an error message: a whole word, or one character. */
  #found(): string {
    if (this.#atEnd()) return "the end";
    const start = this.#at;
    const word = this.#match(OP_NAME);
    this.#at = start;
    return quote(word ?? String.fromCodePoint(this.#text.codePointAt(start)!));
  }

  #failWith(fault: Fault, index: number): never {
    this.#fail(fault.problem, index, fault.remedy);
  }

  #fail(problem: string, index: number, remedy?: string): never {
    // The message shows the text on one line, with a mark under the character.
    const line = this.#text.replace(/\s/g, " ");
    throw new OpSyntaxError(problem, line, index, remedy === undefined ? {} : { remedy });
  }
}

function tooMany(op: OpDefinition): string {
  const count = op.params.length;
  return `${op.name} takes ${count === 0 ? "no values" : count === 1 ? "one value" : `${count} values`}`;
}
