import { expect, test } from "vitest";
import { OpSyntaxError, UsageError } from "../../src/errors.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import type { Num } from "../../src/ops/expr.ts";
import { parseOptimizer, parseRateSchedule } from "../../src/train/optimizer-text.ts";
import type { Optimizer } from "../../src/train/optimizers.ts";

/** Six steps of torch.optim 2.13 from [1, -2, 0.5, 3], with the gradients of `gradientAt`, in float32. */
const PYTORCH: Readonly<Record<string, readonly number[]>> = {
  "sgd(lr=0.1)": [0.3700000047683716, -1.755000114440918, 0.22499999403953552, 2.700000047683716],
  "sgd(lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01)": [
    0.17652948200702667, -1.289814829826355, 0.250408798456192, 3.6295244693756104,
  ],
  "sgd(lr=0.1, momentum=0.9, nesterov=1)": [
    -0.9673852324485779, -0.9356722235679626, -0.21438495814800262, 3.056065320968628,
  ],
  "adam(lr=0.01)": [0.941727340221405, -1.9486554861068726, 0.46056535840034485, 3.023533344268799],
  "adam(lr=0.01, beta1=0.8, beta2=0.99, eps=0.001, weight_decay=0.1)": [
    0.9390456676483154, -1.9473797082901, 0.44251856207847595, 3.0106430053710938,
  ],
  "adamw(lr=0.01, weight_decay=0.1)": [
    0.9358884692192078, -1.9368231296539307, 0.45764923095703125, 3.005465269088745,
  ],
  "rmsprop(lr=0.01)": [0.5258564949035645, -1.7742992639541626, 0.04668940603733063, 2.970351219177246],
  "rmsprop(lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.1)": [
    0.7424916625022888, -1.8433308601379395, 0.21304725110530853, 2.9809954166412354,
  ],
};
const gradientAt = (t: number): number[] => [0.3 * (t + 1), -1 / (t + 1), 0.05 * t * t, -2 + t];

/** One step by the JavaScript evaluation of the optimiser's expressions. */
function step(
  { update, scalarsAt, rate }: Optimizer,
  t: number,
  parameter: Float32Array,
  gradient: Float32Array,
  state: readonly Float32Array[],
): Float32Array[] {
  const arrays = [parameter, gradient, ...state];
  const scalars = scalarsAt(t, rate).map((value) => new Float32Array(parameter.length).fill(value));
  const inputs = [...arrays, ...scalars];
  const replaced = (output: Num): Float32Array => {
    const copies = inputs.map((array) => array.slice());
    const program = {
      key: "",
      inputs: inputs.length,
      target: 0,
      output,
      channels: [],
      sums: [],
      precise: false,
    };
    evaluate(program, "float32", copies);
    return copies[0]!;
  };
  return [update.value, ...update.state].map(replaced);
}

for (const [text, expected] of Object.entries(PYTORCH)) {
  test(`${text} takes the steps that PyTorch takes`, () => {
    const optimizer = parseOptimizer(text);
    let parameter = new Float32Array([1, -2, 0.5, 3]) as Float32Array;
    let state: Float32Array[] = optimizer.state.map(() => new Float32Array(4));
    for (let t = 0; t < 6; t++) {
      [parameter, ...state] = step(optimizer, t, parameter, new Float32Array(gradientAt(t)), state) as [
        Float32Array,
        ...Float32Array[],
      ];
    }
    expected.forEach((value, i) => {
      expect(Math.abs(parameter[i]! - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
    });
  });
}

test("nesterov may be written as a word", () => {
  expect(parseOptimizer("sgd(momentum=0.9, nesterov=true)").text).toBe(
    parseOptimizer("sgd(momentum=0.9, nesterov=1)").text,
  );
  expect(parseOptimizer("sgd(nesterov=false)").text).toBe(parseOptimizer("sgd").text);
});

test("the text of an optimiser, read again, is the same optimiser", () => {
  for (const text of Object.keys(PYTORCH)) {
    const { text: complete } = parseOptimizer(text);
    expect(parseOptimizer(complete).text).toBe(complete);
  }
});

test("errors in the text of an optimiser point at the character and say what to write", () => {
  expect(() => parseOptimizer("adm(lr=0.1)")).toThrow(/unknown optimiser "adm"/);
  expect(() => parseOptimizer("adam(rate=0.1)")).toThrow(/no setting "rate"/);
  expect(() => parseOptimizer("adam(lr=0.1, lr=0.2)")).toThrow(/given twice/);
  expect(() => parseOptimizer("adam(lr=fast)")).toThrow(/must be a number/);
  expect(() => parseOptimizer("sgd(nesterov=2, momentum=0.9)")).toThrow(/nesterov of sgd cannot be 2/);
  // As torch.optim.SGD refuses them.
  expect(() => parseOptimizer("sgd(nesterov=true)")).toThrow(/takes a momentum, and no dampening/);
  expect(() => parseOptimizer("sgd(momentum=0.9, dampening=0.1, nesterov=1)")).toThrow(/no dampening/);
  expect(() => parseOptimizer("adam | sgd")).toThrow(OpSyntaxError);
  expect(() => parseOptimizer("adam(beta1=1)")).toThrow(UsageError);
  expect(() => parseOptimizer("sgd(lr=-1)")).toThrow(/cannot be -1/);
  expect(() => parseOptimizer("adam(lr=1e-3")).toThrow(/expected "," or "\)"/);
  expect(() => parseOptimizer("adam(lr=@)")).toThrow(/"@" has no meaning here/);
});

test("a schedule rises in a line, and then follows its curve", () => {
  const at = (text: string, step: number): number => parseRateSchedule(text).factorAt(step, 100, 10);
  expect(at("constant", 77)).toBe(1);
  expect(at("constant(warmup=10)", 0)).toBe(0.1);
  expect(at("constant(warmup=10)", 9)).toBe(1);
  expect(at("step(epochs=2, gamma=0.5)", 19)).toBe(1);
  expect(at("step(epochs=2, gamma=0.5)", 20)).toBe(0.5);
  expect(at("step(epochs=2, gamma=0.5)", 99)).toBe(0.0625);
  expect(at("cosine", 0)).toBe(1);
  expect(at("cosine", 50)).toBeCloseTo(0.5, 12);
  expect(at("cosine(floor=0.1)", 100)).toBeCloseTo(0.1, 12);
  expect(at("cosine(warmup=20)", 60)).toBeCloseTo(0.5, 12);
  expect(() => parseRateSchedule("cosine(warmup=1.5)")).toThrow(/warmup of cosine cannot be 1.5/);
});
