import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OpSyntaxError, UsageError } from "../../src/errors.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { describeChain } from "../../src/ops/fuse.ts";
import { type BoundOp, bind, type OpDefinition } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";

const read = (text: string): [string, BoundOp["values"]][] =>
  parseChain(text).map(({ op, values }) => [op.name, values]);

describe("a chain", () => {
  it.each<[string, [string, BoundOp["values"]][]]>([
    ["relu", [["relu", {}]]],
    ["relu()", [["relu", {}]]],
    ["leaky_relu", [["leaky_relu", { alpha: 0.01 }]]],
    ["leaky_relu(0.2)", [["leaky_relu", { alpha: 0.2 }]]],
    ["leaky_relu(alpha=0.2)", [["leaky_relu", { alpha: 0.2 }]]],
    ["clamp(0, hi=6)", [["clamp", { lo: 0, hi: 6 }]]],
    ["clamp(hi=6, lo=-6)", [["clamp", { lo: -6, hi: 6 }]]],
    ["prelu([0.1, 0.2])", [["prelu", { alpha: [0.1, 0.2], axis: -1 }]]],
    ["prelu(alpha=[1])", [["prelu", { alpha: 1, axis: -1 }]]],
    [
      "mul(0.5)|leaky_relu(0.2)|abs",
      [
        ["mul", { c: 0.5 }],
        ["leaky_relu", { alpha: 0.2 }],
        ["abs", {}],
      ],
    ],
    [
      " \n clamp\t( lo = 0 ,\r\n hi = 1 ) | prelu ( [ 1 , 2 ] ) ",
      [
        ["clamp", { lo: 0, hi: 1 }],
        ["prelu", { alpha: [1, 2], axis: -1 }],
      ],
    ],
    [
      "relu | relu",
      [
        ["relu", {}],
        ["relu", {}],
      ],
    ],
  ])("%j is understood", (text, ops) => expect(read(text)).toEqual(ops));

  it.each<[string, number]>([
    ["2", 2],
    ["+2", 2],
    ["-2", -2],
    ["-0", -0],
    ["0.5", 0.5],
    [".5", 0.5],
    ["5.", 5],
    ["-.5e1", -5],
    ["1e-3", 1e-3],
    ["1E+3", 1e3],
    ["5e-324", 5e-324],
    ["inf", Number.POSITIVE_INFINITY],
    ["-inf", Number.NEGATIVE_INFINITY],
    ["+Infinity", Number.POSITIVE_INFINITY],
    ["007", 7],
  ])("a number may be written %s", (text, value) =>
    expect(read(`add(${text})`)).toEqual([["add", { c: value }]]),
  );

  it("reads back what describeChain writes", () => {
    const number = fc.double({ noNaN: true });
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const link = fc.oneof(
      fc.constantFrom(catalog.relu, catalog.abs, catalog.sqrt).map((op: OpDefinition) => bind(op)),
      number.map((c) => bind(catalog.mul, { c })),
      finite.map((alpha) => bind(catalog.leaky_relu, { alpha })),
      fc.tuple(number, number).map(([lo, hi]) => bind(catalog.clamp, { lo, hi })),
      fc.array(finite, { minLength: 1, maxLength: 5 }).map((alpha) => bind(catalog.prelu, { alpha })),
    );
    fc.assert(
      fc.property(fc.array(link, { minLength: 1 }), (chain) => {
        expect(parseChain(describeChain(chain))).toEqual(chain);
      }),
    );
  });
});

function failure(text: string): OpSyntaxError {
  try {
    parseChain(text);
  } catch (error) {
    if (error instanceof OpSyntaxError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was understood`);
}

describe("an error points at the character, and says what to do", () => {
  // The mark in the second line of each stands under the character at fault.
  it.each<[string, string, string, string?]>([
    ["", "^", "no op is given", 'Name at least one, as in "leaky_relu(alpha=0.1)".'],
    ["   ", "^", "no op is given"],
    ["relu |", "     ^", 'there is no op after this "|"', "Add one, or remove it."],
    ["relu |  ", "     ^", 'there is no op after this "|"'],
    ["| relu", "^", 'expected the name of an op, found "|"'],
    ["relu || abs", "      ^", 'expected the name of an op, found "|"'],
    ["0.1", "^", 'expected the name of an op, found "0"'],
    ["relu abs", "     ^", 'expected "|" or the end, found "abs"', 'Ops are separated by "|".'],
    ["relu, abs", "    ^", 'expected "|" or the end, found ","'],
    ["relu)", "    ^", 'expected "|" or the end, found ")"'],
    ["relu() 😀", "       ^", 'expected "|" or the end, found "😀"'],
    ["leakyrelu", "^", 'unknown op "leakyrelu"', "Did you mean leaky_relu?"],
    ["relu | LeakyReLU(0.1)", "       ^", 'unknown op "LeakyReLU"', "Did you mean leaky_relu?"],
    ["leaky-relu", "^", 'unknown op "leaky-relu"', "Did you mean leaky_relu?"],
    ["nn.LeakyReLU", "^", 'unknown op "nn.LeakyReLU"', "Did you mean leaky_relu?"],
    ["constructor", "^", 'unknown op "constructor"'],
    [
      "leaky_relu(negative_slope=0.1)",
      "           ^",
      'leaky_relu has no parameter "negative_slope"',
      "Did you mean alpha?",
    ],
    ["leaky_relu(α=0.1)", "           ^", 'expected a number, found "α"', "Write leaky_relu(alpha=0.01)."],
    ["leaky_relu(__proto__=1)", "           ^", 'leaky_relu has no parameter "__proto__"'],
    ["leaky_relu(0.1", "              ^", 'expected "," or ")", found the end', 'Close the values with ")".'],
    ["leaky_relu(", "           ^", "expected a number, found the end", "Write leaky_relu(alpha=0.01)."],
    ["leaky_relu(0.1 | abs", "               ^", 'expected "," or ")", found "|"'],
    ["leaky_relu(alpha=)", "                 ^", 'expected a number, found ")"'],
    [
      "leaky_relu(alpha 0.1)",
      "           ^",
      'expected a number, found "alpha"',
      "Write leaky_relu(alpha=0.01).",
    ],
    ["leaky_relu(0.1,)", "               ^", 'expected a number, found ")"'],
    ["leaky_relu(,)", "           ^", 'expected a number, found ","'],
    ["leaky_relu(-)", "           ^", 'expected a number, found "-"'],
    ["leaky_relu(- 1)", "           ^", 'expected a number, found "-"'],
    ["leaky_relu(1e)", "            ^", 'expected "," or ")", found "e"'],
    ["leaky_relu(0x10)", "            ^", 'expected "," or ")", found "x10"'],
    ["leaky_relu(0.1.2)", "              ^", 'expected "," or ")", found "."'],
    ["leaky_relu(nan)", "           ^", "a parameter cannot be NaN"],
    ["leaky_relu(-NaN)", "           ^", "a parameter cannot be NaN"],
    ["leaky_relu(alpha=inf)", "                 ^", "alpha of leaky_relu must be finite"],
    ["leaky_relu([0.1, 0.2])", "           ^", "alpha of leaky_relu is one number, not a list"],
    [
      "mul(1e999)",
      "    ^",
      "this number is too large",
      "The largest is about 1.8e308; write inf for infinity.",
    ],
    ["clamp(lo=0, lo=1)", "            ^", "lo is given twice", "Remove one of the two."],
    ["clamp(0, lo=1)", "         ^", "lo is given twice"],
    ["clamp(0, 1, 2)", "            ^", "clamp takes 2 values", "Write clamp(lo, hi)."],
    ["mul(1, 2)", "       ^", "mul takes one value", "Write mul(c)."],
    ["relu(1)", "     ^", "relu takes no values", "Write relu."],
    [
      "threshold",
      "         ^",
      "threshold needs a value for threshold",
      "Write threshold(threshold, value).",
    ],
    ["threshold()", "          ^", "threshold needs a value for threshold"],
    ["threshold(0.5)", "             ^", "threshold needs a value for value"],
    ["abs | add | abs", "         ^", "add needs a value for c", "Write add(c)."],
    ["clamp(lo=0, 1)", "            ^", "a value without a name stands after a named one"],
    ["hard_tanh(2, 1)", "             ^", "max_val of hard_tanh (1) is below min_val (2)"],
    ["hard_tanh(2)", "          ^", "max_val of hard_tanh (1) is below min_val (2)"],
    ["prelu([])", "       ^", 'expected a number, found "]"'],
    ["prelu([1, 2)", "           ^", 'expected "," or "]", found ")"'],
    ["prelu([1, [2]])", "          ^", 'expected a number, found "["'],
    ["prelu([1, inf])", "      ^", "value 1 of alpha of prelu must be finite"],
    ["\tadd(\n)", "      ^", "add needs a value for c"],
  ])("%j", (text, mark, problem, remedy?) => {
    const error = failure(text);
    expect(error.message.split("\n")).toEqual([problem, `  ${text.replace(/\s/g, " ")}`, `  ${mark}`]);
    expect(error.index).toBe(mark.length - 1);
    if (remedy !== undefined) expect(error.remedy).toBe(remedy);
  });

  it("lists the known ops where no name is near", () => {
    expect(failure("convolution").remedy).toMatch(/^Known ops: leaky_relu, prelu, /);
  });

  it("is a usage error where the chain is no text", () => {
    expect(() => parseChain(undefined as never)).toThrow(UsageError);
  });
});

it("any text is understood or a syntax error within it", () => {
  const piece = fc.constantFrom(
    ...["relu", "add", "leaky_relu", "prelu", "alpha", "c", "(", ")", "[", "]", ",", "=", "|", " ", "\n"],
    ...["1", "-", "+", ".", "e", "inf", "nan", "_", "\u{1f600}", "\ud800", "é", "\0"],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        expect(parseChain(text).length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof OpSyntaxError)) throw error;
        expect(error.index).toBeGreaterThanOrEqual(0);
        expect(error.index).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns: 2000 },
  );
});

// Each takes milliseconds in one pass, and minutes if the time grew with the square of the length.
it.each<[string, string]>([
  ["spaces", `relu${" ".repeat(1_000_000)}!`],
  ["digits", `add(${"1".repeat(1_000_000)}x)`],
  ["a name", "a".repeat(1_000_000)],
  ["a parameter name", `add(${"a".repeat(1_000_000)}=1)`],
  ["bars", "|".repeat(1_000_000)],
  ["parentheses", `relu${"(".repeat(1_000_000)}`],
  ["words without a name", `prelu([${"1,".repeat(300_000)}`],
])("a million characters of %s fail in one pass", (_, text) => {
  expect(() => parseChain(text)).toThrow(OpSyntaxError);
});

it("long chains and long lists are read in one pass", () => {
  expect(parseChain(Array(50_000).fill("add(1)").join("|"))).toHaveLength(50_000);
  expect(parseChain(`prelu([${Array(300_000).fill("0.1").join(",")}])`)[0]!.values.alpha).toHaveLength(
    300_000,
  );
});
