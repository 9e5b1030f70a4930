/** What is made of a kernel's text for the compilers of OpenGL. */
import { describe, expect, it } from "vitest";
import { glslOf } from "../../src/gpu/glsl.ts";
import { programKernels } from "../../src/gpu/program-kernels.ts";
import * as e from "../../src/ops/expr.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";

/** The lines of the kernel that computes the elements. */
const linesOf = (output: e.Num): string[] => {
  const [step] = programKernels(toProgram(output), null);
  return glslOf(step!.kernel)
    .source.split("\n")
    .slice(1, -1)
    .map((line) => line.trim());
};

describe("a line", () => {
  it("that computes hides its result", () => {
    expect(linesOf(e.add(e.x, 3))).toEqual([
      "const v0 = kept(x0[this.thread.x]);",
      "const v1 = kept(v0 + this.constants.values[0]);",
      "return v1;",
    ]);
  });

  it("that chooses hides one of the two", () => {
    expect(linesOf(e.where(e.lt(e.x, 2), 2, e.x))[1]).toBe("const v1 = v0 < 2 ? other(2) : v0;");
  });

  it("of the difference or the quotient of a number and itself hides one of them", () => {
    expect(linesOf(e.sub(e.x, e.x))[1]).toBe("const v1 = kept(v0 - other(v0));");
    expect(linesOf(e.div(e.x, e.x))[1]).toBe("const v1 = kept(v0 / other(v0));");
    expect(linesOf(e.mul(e.x, e.x))[1]).toBe("const v1 = kept(v0 * v0);");
  });
});

it("a number of more than 8 digits goes into an array, an index does not", () => {
  const [, choice] = linesOf(e.where(e.lt(e.x, 1.054122253759315e-14), 0.5, e.constant(123_456_776)));
  expect(choice).toBe(
    "const v1 = v0 < this.constants.literals[0] ? other(0.5) : this.constants.literals[1];",
  );
  const text = "function (x) {\n  if (quotient(this.thread.x, (123456789 | 0)) < 1) { return 0.5; }\n}";
  const { source, constants } = glslOf({ source: text, constants: {}, arguments: ["array"] });
  expect(source).toBe(text.replace("(123456789 | 0)", "123456789"));
  expect(constants).toEqual({});
});

it("whole quotients are GLSL's own", () => {
  const [step] = programKernels(fuse(parseChain("prelu([0.1, 0.2])")), { count: 2, stride: 3 });
  const { functions, native } = glslOf(step!.kernel);
  expect(functions).toEqual([]);
  expect(native.injectedNative).toContain("int quotient(int a, int b) { return a / b; }");
});
