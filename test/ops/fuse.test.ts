import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { describeChain, fuse, toProgram } from "../../src/ops/fuse.ts";
import { bind } from "../../src/ops/op.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { operands, postorder } from "../../src/ops/walk.ts";
import { arbitraryElements, arbitraryProgram, firstDifference } from "../support/expressions.ts";

const { x } = e;
const fuseText = (text: string) => fuse(parseChain(text));

describe("fuse", () => {
  it("puts constants for parameters", () => {
    expect(fuseText("leaky_relu(0.1)").output).toEqual(e.where(e.gt(x, 0), x, e.mul(0.1, x)));
  });

  it("gives each op the output of the one before", () => {
    expect(fuseText("add(1) | square").output).toEqual(e.mul(e.add(x, 1), e.add(x, 1)));
  });

  it("makes equal subtrees one object", () => {
    const squared = fuseText("add(1) | square").output;
    if (squared.kind !== "binary") throw new Error("not a product");
    expect(squared.a).toBe(squared.b);
    expect(
      postorder(fuseText("relu | add(0) | relu").output).filter((node) => node.kind === "const"),
    ).toHaveLength(1);
  });

  it("keeps every step, even one that looks idle", () => {
    expect(fuseText("add(0) | mul(1) | neg | neg").output).toEqual(e.neg(e.neg(e.mul(e.add(x, 0), 1))));
  });

  it("grows with the length of the chain only", () => {
    expect(postorder(fuse(Array(1000).fill(bind(catalog.leaky_relu))).output).length).toBe(3 + 3 * 1000);
  });

  it("makes a list of values an input", () => {
    const program = fuseText("prelu([0.1, 0.2])");
    expect(program.channels).toEqual([{ name: "prelu.alpha", values: [0.1, 0.2], axis: -1 }]);
    expect(program.output).toEqual(e.where(e.gt(x, 0), x, e.mul(e.input(1), x)));
  });

  it("numbers the parameters of an op that stands more than once", () => {
    const { channels } = fuseText("prelu([1, 2]) | prelu(3) | add(1) | prelu([4, 5])");
    expect(channels.map(({ name }) => name)).toEqual(["prelu.alpha", "prelu#3.alpha"]);
  });

  it("refuses lists of different lengths", () => {
    expect(() => fuseText("prelu([1, 2]) | prelu([1, 2, 3])")).toThrow(
      "prelu.alpha has 2 values, but prelu#2.alpha has 3",
    );
  });

  it("refuses an empty chain", () => expect(() => fuse([])).toThrow(UsageError));

  it("does ten thousand ops, and so does evaluate", () => {
    const chain = parseChain(Array(10_000).fill("leaky_relu(0.5) | add(1)").join("|"));
    const elements = Float64Array.of(-8, 0.25, Number.NaN);
    const expected = elements.map((element) => {
      let value = element;
      for (let i = 0; i < 10_000; i++) value = (value > 0 ? value : 0.5 * value) + 1;
      return value;
    });
    evaluate(fuse(chain), "float64", elements);
    expect(elements).toEqual(expected);
  });
});

it("a fused chain gives the bits of its ops one after another", () => {
  const link = fc.constantFrom(
    "leaky_relu",
    "relu6",
    "add(0.1)",
    "mul(-3)",
    "sqrt",
    "round",
    "div(0)",
    "square",
    "neg",
  );
  const chains = fc.array(link, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(chains, arbitraryElements("float32"), (links, elements) => {
      const fused = elements.slice();
      evaluate(fuseText(links.join("|")), "float32", fused);
      for (const each of links) evaluate(fuseText(each), "float32", elements);
      expect(firstDifference("float32", fused, elements)).toBe(-1);
    }),
  );
});

describe("the key", () => {
  it("lists the nodes in order", () => {
    expect(fuseText("leaky_relu(0.1)").key).toBe("1 input: x0; 0; gt 0 1; 0.1; mul 3 0; where 2 0 4");
  });

  it("is the same however the chain was written", () => {
    expect(fuseText("leaky_relu").key).toBe(fuseText(" leaky_relu( alpha = 1e-2 )").key);
    expect(fuseText("prelu(0.01)").key).toBe(fuseText("leaky_relu").key);
    expect(fuseText("mul(2) | relu").key).not.toBe(fuseText("relu | mul(2)").key);
  });

  it("tells -0 from 0", () => expect(fuseText("add(0)").key).not.toBe(fuseText("add(-0)").key));

  it("has the number of lists in it, not their values", () => {
    expect(fuseText("prelu([1, 2])").key).toBe(fuseText("prelu([3, 4, 5])").key);
    expect(fuseText("prelu([1, 2])").key).not.toBe(fuseText("prelu(1)").key);
    const unused = [{ name: "op.p", values: [1] }];
    expect(toProgram(x).key).not.toBe(toProgram(x, unused).key);
  });

  it("is equal exactly for equal expressions", () => {
    // Written out as a tree: slow, but plain. Small programs, so that equal ones occur.
    const written = (node: e.Num | e.Mask): string => {
      const label = node.kind === "const" ? (Object.is(node.value, -0) ? "-0" : `${node.value}`) : "";
      const fn = "fn" in node ? node.fn : node.kind === "input" ? node.index : "";
      return `${node.kind}${label}${fn}(${operands(node).map(written).join()})`;
    };
    const small = arbitraryProgram({ maxSteps: 2, channels: false });
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(a.key === b.key).toBe(written(a.output) === written(b.output));
      }),
      { numRuns: 3000 },
    );
  });

  it("does not depend on how nodes were shared", () => {
    const shared = e.add(x, 1);
    expect(toProgram(e.mul(shared, shared)).key).toBe(toProgram(e.mul(e.add(x, 1), e.add(x, 1))).key);
  });
});

describe("toProgram", () => {
  it("refuses what a program cannot hold", () => {
    expect(() => toProgram(e.mul(x, e.param("alpha")))).toThrow("the parameter alpha has no value");
    expect(() => toProgram(e.input(1))).toThrow("the expression reads input 1 of 1");
    expect(() => toProgram(e.input(-1))).toThrow(UsageError);
  });
});

it("describeChain writes every parameter", () => {
  const chain = parseChain("leaky_relu(.1)|mul(2)|relu|prelu([1,-0])|clamp(hi=inf,lo=1e-9)");
  expect(describeChain(chain)).toBe(
    "leaky_relu(alpha=0.1) | mul(c=2) | relu | prelu(alpha=[1, -0]) | clamp(lo=1e-9, hi=inf)",
  );
});
