/**
 * @file What a model file says of its network beside the tensors: the JSON under the key `sluice` of its metadata.
 *
 * ```json
 * { "version": 1, "layers": "dense(256) | leaky_relu(alpha=0.01) | dense(10)", "inputShape": [784],
 *   "features": ["image"], "target": { "kind": "classes", "classes": [0, 1, 2] }, "loss": { "kind": "cross_entropy" },
 *   "training": { "step": 400, "epoch": 5 } }
 * ```
 */
import { SluiceError } from "../../errors.ts";
import type { Place } from "../../formats/place.ts";
import type { TargetSpace } from "../data/dataset.ts";
import { layersText, parseLayers } from "../layers-text.ts";
import type { Loss } from "../losses.ts";
import { buildNetwork, type Network } from "../network.ts";
import type { Trained } from "../trained.ts";

/** The key of the file's metadata. */
export const KEY = "sluice";
const VERSION = 1;

export interface Description {
  readonly network: Network;
  /** As text. */
  readonly layers: string;
  readonly features: readonly string[];
  readonly target: TargetSpace | undefined;
  readonly loss: Loss | undefined;
  /** Where the training stands, as training itself wrote it. */
  readonly progress: Readonly<Record<string, unknown>> | undefined;
}

export function describeModel({ network, features, target, loss, training }: Trained): string {
  const layers = layersText(network.layers.map(({ spec }) => spec));
  const { inputShape } = network;
  const what = { version: VERSION, layers, inputShape, features, target, loss };
  return JSON.stringify({ ...what, training: training?.progress });
}

/** @throws CorruptError; UnsupportedError for a later version, and for ops that are not defined here */
export function readDescription(text: string, place: Place): Description {
  const json = parse(text, place);
  if (json.version !== VERSION) {
    throw place.unsupported(`The model's version is ${String(json.version)}; only ${VERSION} is read`, {
      remedy: "Update Sluice, or train the model again.",
    });
  }
  const { layers, inputShape, features, target, loss, training } = json;
  if (typeof layers !== "string" || !isShape(inputShape)) throw wrong("layers and inputShape", place);
  if (!isTexts(features)) throw wrong("features", place);
  if (target !== undefined && !isTarget(target)) throw wrong("target", place);
  if (loss !== undefined && !isLoss(loss)) throw wrong("loss", place);
  if (training !== undefined && !isObject(training)) throw wrong("training", place);
  return {
    network: networkOf(layers, inputShape, place),
    layers,
    features,
    target,
    loss,
    progress: training,
  };
}

function parse(text: string, place: Place): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch (cause) {
    throw place.corrupt(`The metadata under ${JSON.stringify(KEY)} are no JSON`, { cause });
  }
  throw wrong("anything", place);
}

const wrong = (what: string, place: Place) =>
  place.corrupt(`The metadata under ${JSON.stringify(KEY)} do not describe ${what} of a model`);

function networkOf(layers: string, inputShape: readonly number[], place: Place): Network {
  try {
    return buildNetwork(parseLayers(layers), inputShape);
  } catch (cause) {
    if (!(cause instanceof SluiceError)) throw cause;
    throw place.unsupported(`The model's layers are not known here: ${cause.message}`, {
      cause,
      remedy: "Define the ops of your own before (defineOp), or update Sluice.",
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => Number.isSafeInteger(each) && each >= 1);

function isTarget(value: unknown): value is TargetSpace {
  if (!isObject(value)) return false;
  if (value.kind === "values") return Number.isSafeInteger(value.size) && (value.size as number) >= 1;
  return value.kind === "classes" && isClasses(value.classes);
}

/** All of one type. */
const isClasses = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  ["string", "number", "boolean"].includes(typeof value[0]) &&
  value.every((each) => typeof each === typeof value[0]);

const isLoss = (value: unknown): value is Loss => isObject(value) && typeof value.kind === "string";
