/** @file Python literals, as the headers of npy files are. */
import { describe, expect, test } from "vitest";
import { parsePythonLiteral } from "../../src/formats/pythonLiteral.ts";

describe("a Python literal", () => {
  const values: [string, unknown][] = [
    ["'a'", "a"],
    ['"a\'b"', "a'b"],
    ["'it\\'s \\\\ \\n'", "it's \\ \n"],
    ["42", 42],
    ["-7", -7],
    ["3L", 3],
    ["True", true],
    ["False", false],
    ["None", null],
    ["()", { tuple: [] }],
    ["(1,)", { tuple: [1] }],
    ["( 1 , )", { tuple: [1] }],
    ["(1, 2)", { tuple: [1, 2] }],
    ["(1)", 1],
    ["((1,),)", { tuple: [{ tuple: [1] }] }],
    ["('a,',)", { tuple: ["a,"] }],
    ["('a,')", "a,"],
    ["[]", { list: [] }],
    [
      "[('x', '<f4'), ('y', '<i2', (3,))]",
      { list: [{ tuple: ["x", "<f4"] }, { tuple: ["y", "<i2", { tuple: [3] }] }] },
    ],
    [" { } \n", { dict: new Map() }],
    [
      "{'a': 1, 'b': (2,),}",
      {
        dict: new Map<string, unknown>([
          ["a", 1],
          ["b", { tuple: [2] }],
        ]),
      },
    ],
  ];
  for (const [text, value] of values) {
    test(text.trim(), () => expect(parsePythonLiteral(text)).toEqual(value));
  }
});

describe("what is no literal is a SyntaxError", () => {
  const invalid = [
    ["nothing", ""],
    ["a name", "foo"],
    ["a call", "f(1)"],
    ["a sum", "1 + 1"],
    ["a float", "1.5"],
    ["a word that begins like one", "Trueish"],
    ["two values", "1 2"],
    ["an open dict", "{'a': 1"],
    ["an open tuple", "(1,"],
    ["an open string", "'abc"],
    ["a string over two lines", "'a\nb'"],
    ["a dict without colon", "{'a' 1}"],
    ["a dict with a number for a key", "{1: 2}"],
    ["a tuple without comma", "(1 2)"],
    ["a tuple that begins with a comma", "(,)"],
    ["a dict that begins with a comma", "{,}"],
    ["an escape that numpy does not write", "'\\x41'"],
    ["a bracket that does not match", "(1]"],
    ["brackets without end", "[".repeat(100_000)],
  ];
  for (const [what, text] of invalid) {
    test(what!, () => expect(() => parsePythonLiteral(text!)).toThrow(SyntaxError));
  }
});
