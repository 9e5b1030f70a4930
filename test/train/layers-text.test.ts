import fc from "fast-check";
import { expect, test } from "vitest";
import { OpSyntaxError } from "../../src/errors.ts";
import { catalog } from "../../src/ops/catalog/index.ts";
import { mul } from "../../src/ops/expr.ts";
import { bind, defineOp, type OpDefinition } from "../../src/ops/op.ts";
import {
  activation,
  avgPool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  type LayerSpec,
  layerNorm,
  maxPool,
  prelu,
  reshape,
  standardize,
} from "../../src/train/layers.ts";
import { layersText, parseLayers } from "../../src/train/layers-text.ts";

const leaky = (alpha: number) => bind(catalog.leaky_relu, { alpha });

const TEXTS: readonly (readonly [text: string, layers: readonly LayerSpec[]])[] = [
  ["dense(256) | leaky_relu(0.01) | dense(10)", [dense(256), activation(leaky(0.01)), dense(10)]],
  ["dense(10, init=xavier)", [dense(10, { init: "xavier" })]],
  ["dense(units=10, bias=false, init=0.02)", [dense(10, { bias: false, init: { std: 0.02 } })]],
  ["conv2d(16, 3, padding=1)", [conv2d(16, 3, { padding: 1 })]],
  ["conv2d(8, [3, 5], [1, 2], bias=false)", [conv2d(8, [3, 5], { stride: [1, 2], bias: false })]],
  ["max_pool(2) | avg_pool(3, stride=1, padding=1)", [maxPool(2), avgPool(3, { stride: 1, padding: 1 })]],
  ["standardize | flatten | reshape(1, 28, 28)", [standardize(), flatten(), reshape(1, 28, 28)]],
  ["dropout | dropout(0.1) | dropout(rate=0.2)", [dropout(), dropout(0.1), dropout(0.2)]],
  ["layer_norm | layer_norm(eps=1e-3)", [layerNorm(), layerNorm({ eps: 1e-3 })]],
  ["layer_norm(affine=false)", [activation(catalog.layer_norm)]],
  ["layer_norm(1e-3, affine=true)", [layerNorm({ eps: 1e-3 })]],
  ["batch_norm(momentum=0.2)", [batchNorm({ momentum: 0.2 })]],
  ["leaky_relu(learn)", [activation(catalog.leaky_relu, [{ param: "alpha", channels: "one" }])]],
  [
    "leaky_relu(0.2, learn=[0, 1])",
    [activation(leaky(0.2), [{ param: "alpha", channels: "one", keep: [0, 1] }])],
  ],
  [
    "swish(1, learn=beta, keep=[0, inf])",
    [activation(catalog.swish, [{ param: "beta", channels: "one", keep: [0, Number.POSITIVE_INFINITY] }])],
  ],
  ["prelu | prelu(0.1, each)", [prelu(), prelu({ init: 0.1, each: true })]],
  [
    "prelu([0.1, 0.2])",
    [activation(bind(catalog.prelu, { alpha: [0.1, 0.2], axis: 1 }), [{ param: "alpha", channels: "each" }])],
  ],
  ["prelu(fixed, axis=-1)", [activation(bind(catalog.prelu, { axis: -1 }))]],
  [
    "clamp(-inf, 1) | sigmoid",
    [activation(bind(catalog.clamp, { lo: Number.NEGATIVE_INFINITY, hi: 1 })), activation(catalog.sigmoid)],
  ],
];

test.each(TEXTS)(
  "%s is read as those layers, and written as a text that is read the same",
  (text, layers) => {
    expect(parseLayers(text)).toEqual(layers);
    expect(parseLayers(layersText(layers))).toEqual(layers);
  },
);

test.each(Object.values(catalog) as OpDefinition[])(
  "$name is a layer, its parameters fixed or learned",
  (op) => {
    const values = Object.fromEntries(
      op.params.flatMap((each) => (each.default === undefined ? [[each.name, 0.5]] : [])),
    );
    const bound = bind(op, values);
    const params = op.params.filter(({ channelAxis }) => !channelAxis);
    const keep = [-1, 2] as const;
    const all = [
      activation(bound),
      ...params.map(({ name }) => activation(bound, [{ param: name, channels: "one" }])),
      activation(
        bound,
        params.map(({ name }) => ({ param: name, channels: "one", keep })),
      ),
    ];
    expect(parseLayers(layersText(all))).toEqual(all);
  },
);

test("layers written as text and read again are the same layers", () => {
  const size = fc.integer({ min: 1, max: 99 });
  const pair = fc.tuple(size, size);
  const init = fc.constantFrom("he" as const, "xavier" as const, { std: 0.05 });
  const optional = { requiredKeys: [] as [] };
  const layer: fc.Arbitrary<LayerSpec> = fc.oneof(
    fc.tuple(size, fc.record({ bias: fc.boolean(), init }, optional)).map((given) => dense(...given)),
    fc
      .tuple(size, pair, fc.record({ stride: pair, padding: pair, bias: fc.boolean(), init }, optional))
      .map((given) => conv2d(...given)),
    fc.tuple(pair, fc.record({ stride: pair }, optional)).map((given) => maxPool(...given)),
    fc.double({ min: 0, max: 0.99, noNaN: true }).map((rate) => dropout(rate)),
    fc.double({ min: -9, max: 9, noNaN: true }).map((alpha) => activation(leaky(alpha))),
    fc.array(size, { minLength: 1, maxLength: 4 }).map((shape) => reshape(...shape)),
  );
  fc.assert(
    fc.property(fc.array(layer, { minLength: 1, maxLength: 6 }), (layers) => {
      expect(parseLayers(layersText(layers))).toEqual(layers);
    }),
  );
});

test("an op of a user has its own parameters, whatever their names, but not the name of a layer", () => {
  const gated = defineOp("layers_text_gated", { keep: 0.5 }, (x, { keep }) => mul(x, keep));
  const text = "layers_text_gated(keep=0.25, learn)";
  expect(parseLayers(text)).toEqual([
    activation(bind(gated, { keep: 0.25 }), [{ param: "keep", channels: "one" }]),
  ]);
  expect(layersText(parseLayers(text))).toBe(text);
  const pool = defineOp("max_pool", {}, (x) => mul(x, 2));
  expect(() => layersText([activation(pool)])).toThrow(/a layer has that name/);
});

/** The text, the character at fault, and what the error says. */
const ERRORS: readonly (readonly [text: string, at: number, says: RegExp, remedy?: RegExp])[] = [
  ["dense(10) | leaky_rel", 12, /unknown layer "leaky_rel"/, /Did you mean leaky_relu\?/],
  ["linear(10)", 0, /unknown layer "linear"/, /Did you mean dense\?/],
  ["torch.nn.BatchNorm2d", 0, /unknown layer/, /Did you mean batch_norm\?/],
  ["quaxify", 0, /unknown layer/, /every op of sluice ops/],
  ["dense", 0, /dense needs units/, /dense\(units, bias, init\)/],
  ["dense(0)", 6, /units of dense cannot be 0/],
  ["dense(1, bias=2)", 9, /bias of dense must be true or false/],
  ["dense(1, init=magic)", 9, /he, xavier or a standard deviation/],
  ["dense(1, biass=true)", 9, /takes no "biass"/, /Did you mean bias\?/],
  ["dense(1, units=2)", 9, /units is given twice/],
  ["flatten(1)", 8, /takes no values/],
  ["dropout(1)", 8, /rate of dropout is 1/, /below 1/],
  // Of 32 random bits no element would be dropped.
  ["dropout(0.9999999999)", 8, /rate of dropout/],
  ["conv2d(1, 3, padding=-1)", 13, /padding of conv2d cannot be/],
  ["reshape(1, x)", 11, /lengths of the axes/],
  ["relu(learn)", 5, /no parameter to learn/],
  ["leaky_relu(each)", 11, /Write learn before it|how a parameter is learned/],
  ["leaky_relu(lern)", 11, /must be a number, not lern/, /Did you mean learn\?/],
  ["leaky_relu(slope=2)", 11, /no parameter "slope"/, /Did you mean alpha\?/],
  ["leaky_relu(learn=beta)", 11, /beta of leaky_relu cannot be learned/],
  ["leaky_relu(learn=[1, 0])", 11, /cannot be kept within/, /lower bound first/],
  ["leaky_relu(learn=[1])", 11, /bounds are two numbers/],
  ["leaky_relu(learn=0.5)", 11, /a parameter's name, or its bounds/, /leaky_relu\(0.5, learn\)/],
  ["leaky_relu(inf)", 11, /must be finite/],
  ["prelu(fixed, each)", 13, /how a parameter is learned/],
  ["layer_norm(affine=no)", 11, /affine of layer_norm must be true or false/],
  ["add", 0, /needs a value for c/],
  ["dense(10) || relu", 11, /expected a name/],
  ["dense(10", 8, /found the end/],
  ["dense(10) | #", 12, /no meaning/],
  ["", 0, /expected a name/],
];

for (const [text, at, says, remedy] of ERRORS) {
  test(`${JSON.stringify(text)}: the error points at character ${at}`, () => {
    let error: unknown;
    try {
      parseLayers(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OpSyntaxError);
    const { message, index, remedy: told } = error as OpSyntaxError;
    expect(message).toMatch(says);
    expect(index).toBe(at);
    if (remedy) expect(told).toMatch(remedy);
  });
}
