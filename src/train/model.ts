/**
 * @file A model: layers and, once it is trained or loaded, their tensors and all that a prediction needs.
 *
 * ```ts
 * const model = sequential(layers.dense(256), leakyRelu, layers.dense(10));
 * for await (const { loss } of train(model, "digits.arrow", { features: "image", label: "label" })) console.log(loss);
 * await model.save("digits.safetensors", { overwrite: true });
 * const logits = (await Model.load("digits.safetensors")).predict(new Float32Array(64));
 * ```
 */
import { UsageError } from "../errors.ts";
import type { BoundOp, OpDefinition } from "../ops/op.ts";
import { resolveOps } from "../pipeline/chain.ts";
import type { Link } from "../pipeline/options.ts";
import type { TargetSpace } from "./data/dataset.ts";
import type { WriteOptions } from "./files/tensor-file.ts";
import { activation, type LayerSpec } from "./layers.ts";
import { parseLayers } from "./layers-text.ts";
import { type Network, shapeText, sizeOf, type Tensors, tensorsOf } from "./network.ts";
import { predictRows } from "./ready-network.ts";
import type { Trained } from "./trained.ts";

/** A layer as `sequential` takes it: of its function (`layers.dense(10)`), an op, or text: `"dense(256) | relu"`. */
export type LayerInput = LayerSpec | Link | string;

/**
 * Layers and, once it is trained or loaded, their tensors and all that a prediction needs. `sequential` makes one to be
 * trained, `Model.load` reads one.
 *
 * ```ts
 * const model = await Model.load("digits.safetensors");
 * const logits = model.predict(new Float32Array(2 * 64)); // two rows of 8 x 8: 20 numbers
 * ```
 */
export class Model {
  readonly layers: readonly LayerSpec[];
  #trained: Trained | undefined;

  constructor(layers: readonly LayerSpec[], trained?: Trained) {
    this.layers = layers;
    if (trained) this.set(trained);
  }

  /**
   * Reads a model that `save` or `sluice train` has written.
   * @throws IoError, NotRecognisedError, CorruptError, TruncatedError, UnsupportedError
   */
  static async load(path: string): Promise<Model> {
    const { readModel } = await import("./files/model-file.ts");
    const trained = await readModel(path);
    return new Model(
      trained.network.layers.map(({ spec }) => spec),
      trained,
    );
  }

  /** Whether it has tensors. */
  get isTrained(): boolean {
    return this.#trained !== undefined;
  }

  /** @throws UsageError before it is trained; so do all below */
  get network(): Network {
    return this.trained.network;
  }
  get tensors(): Tensors {
    return this.trained.tensors;
  }
  get features(): readonly string[] {
    return this.trained.features;
  }
  get target(): TargetSpace | undefined {
    return this.trained.target;
  }

  /** Everything that training has given it. */
  get trained(): Trained {
    if (this.#trained) return this.#trained;
    throw new UsageError("The model is not trained yet", {
      remedy: "Train it, or read a trained one with Model.load(path).",
    });
  }

  /** Gives it tensors, for those that it may have. @throws UsageError where they are not those of the network */
  set(trained: Trained): void {
    checkTensors(trained);
    this.#trained = trained;
  }

  /**
   * The outputs for some rows.
   *
   * @param rows one behind the other, each of as many elements as the network's `inputShape`
   * @returns the same of its `outputShape`
   * @throws UsageError for elements that are no whole number of rows
   */
  predict(rows: Float32Array): Float32Array {
    const { network, tensors } = this.trained;
    const size = sizeOf(network.inputShape);
    if (!(rows instanceof Float32Array) || rows.length % size !== 0) {
      throw new UsageError(`${rows?.length} elements are no rows of ${size}`, {
        remedy: `Give a Float32Array of rows of the shape ${shapeText(network.inputShape)}.`,
      });
    }
    return predictRows(network, tensors, rows);
  }

  /** Writes it as safetensors, for `load` and for others. @throws OutputExistsError, IoError */
  async save(path: string, options: WriteOptions = {}): Promise<void> {
    const { writeModel } = await import("./files/model-file.ts");
    await writeModel(path, this.trained, options);
  }

  /** Writes it as ONNX, opset 17. @throws OutputExistsError, IoError, UnsupportedError */
  async saveOnnx(path: string, options: WriteOptions = {}): Promise<void> {
    const { writeOnnx } = await import("./files/onnx/write.ts");
    await writeOnnx(path, this.trained, options);
  }
}

/**
 * A model of these layers, one after the other, to be trained.
 *
 * ```ts
 * sequential(layers.dense(256), leakyRelu.with({ alpha: 0.1 }), layers.dropout(0.1), layers.dense(10));
 * sequential("dense(256) | leaky_relu(0.1) | dropout(0.1) | dense(10)");
 * ```
 *
 * @throws UsageError, OpSyntaxError
 */
export function sequential(...layers: readonly LayerInput[]): Model {
  return new Model(layers.flatMap(layersOf));
}

function layersOf(input: LayerInput): readonly LayerSpec[] {
  if (typeof input === "string") return parseLayers(input);
  if (typeof input === "object" && "kind" in input) return [input];
  return resolveOps(input as BoundOp | OpDefinition).map(layerOf);
}

/** As in text: prelu learns, every other op stays as it is. */
function layerOf(op: BoundOp): LayerSpec {
  if (op.op.name !== "prelu") return activation(op);
  return activation(op, [{ param: "alpha", channels: typeof op.values.alpha === "number" ? "one" : "each" }]);
}

/** Every tensor of the network must be there, with as many values as its shape has. */
function checkTensors({ network, tensors }: Trained): void {
  for (const { name, shape } of tensorsOf(network)) {
    const length = tensors.get(name)?.length;
    if (length === sizeOf(shape)) continue;
    throw new UsageError(
      length === undefined
        ? `The tensor ${name} is missing`
        : `The tensor ${name} has ${length} values, not those of ${shapeText(shape)}`,
    );
  }
}
