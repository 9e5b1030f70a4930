/**
 * @file The text of calls: `dense(256) | leaky_relu(0.01, learn) | dropout(rate=0.1)`, as layers, optimisers and rates are
 * written.
 *
 * ```text
 *   calls    := call { "|" call }
 *   call     := name [ "(" [ argument { "," argument } ] ")" ]
 *   argument := [ name "=" ] ( number | word | "[" number { "," number } "]" )
 *   number   := 2  -0.5  +.5  1.  1e-3  inf  -inf
 * ```
 *
 * What the names and arguments mean is for the caller to say; this knows only where each stands.
 */
import { OpSyntaxError } from "../errors.ts";

export type ArgumentValue = number | string | readonly number[];

export interface Argument {
  /** Left out: it is known by its place. */
  readonly name: string | undefined;
  readonly value: ArgumentValue;
  /** Index of its first character in the text. */
  readonly at: number;
}

export interface Call {
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly at: number;
}

const TOKEN =
  /\s*(?:(?<number>[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf\b))|(?<word>[A-Za-z_][\w.-]*)|(?<sign>[()[\],=|]))/y;

interface Token {
  readonly text: string;
  readonly kind: "word" | "number" | "sign" | "end";
  readonly at: number;
}

/** @throws OpSyntaxError that points at the character at fault */
export function parseCalls(text: string): readonly Call[] {
  const tokens = new Tokens(text);
  const calls = [parseCall(tokens)];
  while (tokens.take("|")) calls.push(parseCall(tokens));
  tokens.expect("end", 'expected "|" or the end');
  return calls;
}

function parseCall(tokens: Tokens): Call {
  const name = tokens.expect("word", "expected a name");
  const args: Argument[] = [];
  if (tokens.take("(") && !tokens.take(")")) {
    do args.push(parseArgument(tokens));
    while (tokens.take(","));
    if (!tokens.take(")")) tokens.fail('expected "," or ")"');
  }
  return { name: name.text, arguments: args, at: name.at };
}

function parseArgument(tokens: Tokens): Argument {
  const { at } = tokens.next;
  const value = parseValue(tokens);
  if (typeof value === "string" && tokens.take("=")) return { name: value, value: parseValue(tokens), at };
  return { name: undefined, value, at };
}

function parseValue(tokens: Tokens): ArgumentValue {
  if (tokens.take("[")) {
    const list: number[] = [];
    do list.push(numberOf(tokens.expect("number", "expected a number").text));
    while (tokens.take(","));
    if (!tokens.take("]")) tokens.fail('expected "," or "]"');
    return list;
  }
  const { kind } = tokens.next;
  if (kind === "number") return numberOf(tokens.advance().text);
  if (kind === "word") return tokens.advance().text;
  return tokens.fail("expected a value");
}

const numberOf = (text: string): number => Number(text.replace("inf", "Infinity"));

class Tokens {
  readonly #text: string;
  /** The token that comes next. */
  next: Token;

  constructor(text: string) {
    this.#text = text;
    this.next = this.#read(0);
  }

  advance(): Token {
    const token = this.next;
    this.next = this.#read(token.at + token.text.length);
    return token;
  }

  take(sign: string): boolean {
    if (this.next.kind !== "sign" || this.next.text !== sign) return false;
    this.advance();
    return true;
  }

  expect(kind: Token["kind"], problem: string): Token {
    if (this.next.kind !== kind) this.fail(problem);
    return kind === "end" ? this.next : this.advance();
  }

  fail(problem: string): never {
    const { kind, text, at } = this.next;
    const found = kind === "end" ? "the end" : JSON.stringify(text);
    throw new OpSyntaxError(`${problem}, found ${found}`, oneLine(this.#text), at);
  }

  #read(from: number): Token {
    TOKEN.lastIndex = from;
    const match = TOKEN.exec(this.#text);
    if (match) {
      const { word, number, sign } = match.groups!;
      const text = (word ?? number ?? sign)!;
      const kind = word !== undefined ? "word" : number !== undefined ? "number" : "sign";
      return { text, kind, at: TOKEN.lastIndex - text.length };
    }
    const at = from + /^\s*/.exec(this.#text.slice(from))![0].length;
    if (at === this.#text.length) return { text: "", kind: "end", at };
    const character = String.fromCodePoint(this.#text.codePointAt(at)!);
    throw new OpSyntaxError(`${JSON.stringify(character)} has no meaning here`, oneLine(this.#text), at);
  }
}

/** The message shows the text on one line, with a mark under the character. */
export const oneLine = (text: string): string => text.replace(/\s/g, " ");
