/**
 * @file Parses a Python literal: the dict that the header of an npy file is, as `ast.literal_eval` would.
 *
 * Only what numpy writes and reads is understood: strings, integers, True, False, None, tuples, lists and dicts.
 */

export type PythonValue =
  | string
  | number
  | boolean
  | null
  | { readonly tuple: readonly PythonValue[] }
  | { readonly list: readonly PythonValue[] }
  | { readonly dict: ReadonlyMap<string, PythonValue> };

/** Deeper than any dtype; a header of a million brackets must not exhaust the stack. */
const MAX_DEPTH = 32;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  n: "\n",
  r: "\r",
  t: "\t",
};

/** @throws SyntaxError for anything else, or for text after the literal */
export function parsePythonLiteral(text: string): PythonValue {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): PythonValue {
    if (depth > MAX_DEPTH) throw this.#error("is nested too deep");
    const first = this.#peek();
    switch (first) {
      case "{":
        return this.#dict(depth);
      case "(":
        return this.#tuple(depth);
      case "[":
        this.#at++;
        return { list: this.#items("]", depth) };
      case "'":
      case '"':
        return this.#string(first);
      default:
        return this.#word();
    }
  }

  end(): void {
    if (this.#peek() !== "") throw this.#error("goes on after its end");
  }

  /** The next character that is no space; empty at the end. */
  #peek(): string {
    while (" \t\r\n\f".includes(this.#text[this.#at] ?? "x")) this.#at++;
    return this.#text[this.#at] ?? "";
  }

  #dict(depth: number): PythonValue {
    this.#at++;
    const dict = new Map<string, PythonValue>();
    while (this.#peek() !== "}") {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw this.#error("has a key that is no string");
      if (this.#peek() !== ":") throw this.#error("lacks a colon");
      this.#at++;
      dict.set(key, this.value(depth + 1));
      if (this.#peek() === ",") this.#at++;
      else if (this.#peek() !== "}") throw this.#error("lacks a comma");
    }
    this.#at++;
    return { dict };
  }

  /** `(3, 4)`, `(3,)`, `()`; but `(3)` is 3. */
  #tuple(depth: number): PythonValue {
    const start = ++this.#at;
    const tuple = this.#items(")", depth);
    const comma = /,\s*$/.test(this.#text.slice(start, this.#at - 1));
    return tuple.length === 1 && !comma ? tuple[0]! : { tuple };
  }

  #items(close: string, depth: number): PythonValue[] {
    const items: PythonValue[] = [];
    while (this.#peek() !== close) {
      items.push(this.value(depth + 1));
      if (this.#peek() === ",") this.#at++;
      else if (this.#peek() !== close) throw this.#error("lacks a comma");
    }
    this.#at++;
    return items;
  }

  #string(quote: string): string {
    let out = "";
    for (this.#at++; this.#text[this.#at] !== quote; this.#at++) {
      const character = this.#text[this.#at];
      if (character === undefined || character === "\n") throw this.#error("has a string without end");
      if (character !== "\\") {
        out += character;
        continue;
      }
      const escaped = ESCAPES[this.#text[++this.#at] ?? ""];
      if (escaped === undefined) throw this.#error("has an escape that numpy does not write");
      out += escaped;
    }
    this.#at++;
    return out;
  }

  #word(): PythonValue {
    // Python 2 wrote long integers with an L, and numpy still reads them.
    const match = /^(?:([+-]?\d+)L?|True|False|None)(?![\w.])/.exec(
      this.#text.slice(this.#at, this.#at + 64),
    );
    if (match === null) throw this.#error("has something that is no literal");
    this.#at += match[0].length;
    if (match[1] !== undefined) return Number(match[1]);
    return match[0] === "None" ? null : match[0] === "True";
  }

  #error(problem: string): SyntaxError {
    return new SyntaxError(`${problem} (character ${this.#at})`);
  }
}
