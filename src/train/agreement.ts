/** @file What a model, its settings and the data must agree on before the first step. */
import { UsageError } from "../errors.ts";
import type { RowCounts } from "./checkpoint.ts";
import type { Dataset } from "./data/dataset.ts";
import { parseLoss, resolveClassWeights } from "./loss-text.ts";
import type { Loss } from "./losses.ts";
import type { Model } from "./model.ts";
import { buildNetwork, type Network, outputShapeOf, shapeText, sizeOf } from "./network.ts";
import type { Settings } from "./options.ts";

/**
 * Binary cross entropy of one output is about two classes, of several about values from 0 to 1. So it is where nobody can
 * know before the data are read: of convolutions alone.
 *
 * @throws UsageError where layers do not fit each other
 */
export function isClassification({ kind }: Loss, model: Model): boolean {
  if (kind !== "bce_with_logits") return kind === "cross_entropy";
  const shape = model.isTrained ? model.network.outputShape : outputShapeOf(model.layers);
  return shape !== undefined && sizeOf(shape) === 1;
}

/** A training goes on with the rows that it began with. @throws UsageError */
export function checkSameRows(now: RowCounts, then: RowCounts): void {
  if (now.train === then.train && now.validation === then.validation) return;
  const text = ({ train, validation }: RowCounts): string =>
    `${train} rows to train on and ${validation} held out`;
  throw new UsageError(`The data has ${text(now)}; when this training began there were ${text(then)}`, {
    remedy: "Give the same files to go on, or begin a new training.",
  });
}

/** The model's network for rows of the data. @throws UsageError where it takes others */
export function networkFor(model: Model, { featureShape }: Dataset): Network {
  if (!model.isTrained) return buildNetwork(model.layers, featureShape);
  const { network } = model;
  if (shapeText(network.inputShape) === shapeText(featureShape)) return network;
  throw new UsageError(
    `The model takes rows of ${shapeText(network.inputShape)}, but those of the data are ${shapeText(featureShape)}`,
    { remedy: "Name the columns that it was trained on, or train a new model." },
  );
}

/** The loss with its class weights; the network's outputs fit the targets. */
export function lossFor(settings: Settings, { target, classRows }: Dataset, { outputShape }: Network): Loss {
  const loss = parseLoss(settings.loss);
  const outputs = sizeOf(outputShape);
  const needed =
    target.kind === "values" ? target.size : loss.kind === "cross_entropy" ? target.classes.length : 1;
  if (loss.kind === "bce_with_logits" && target.kind === "classes" && target.classes.length !== 2) {
    throw new UsageError(
      `bce_with_logits of one output tells 2 classes apart, but there are ${target.classes.length}`,
      {
        remedy: "Use cross_entropy, and as many outputs as classes.",
      },
    );
  }
  if (outputs !== needed) {
    const what = target.kind === "values" ? "values to predict" : "classes";
    throw new UsageError(`the network has ${outputs} outputs, but there are ${needed} ${what}`, {
      remedy: `End the layers with dense(${needed}).`,
    });
  }
  if (settings.classWeights === null) return loss;
  if (target.kind === "values") {
    throw new UsageError(`${loss.kind} has no classes that could have weights`);
  }
  const rows = classRows?.train ?? target.classes.map(() => 1);
  return { ...loss, classWeights: resolveClassWeights(settings.classWeights, target.classes, rows) };
}
