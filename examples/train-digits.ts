/**
 * @file Trains a small network on images, stops it half-way, goes on, and uses the model: on arrays, and on a file.
 *
 *     npx tsx examples/train-digits.ts
 */
import { join } from "node:path";
import { layers, leakyRelu, Model, predict, sequential, train } from "sluice";
import { sampleDirectory } from "./sample.ts";

const directory = sampleDirectory();
const path = (name: string): string => join(directory, name);
const output = path("model.safetensors");

// As text: sequential("dense(64) | leaky_relu(alpha=0.1) | dropout(0.1) | dense(10)").
const model = sequential(
  layers.dense(64),
  leakyRelu.with({ alpha: 0.1 }),
  layers.dropout(0.1),
  layers.dense(10),
);
const stop = new AbortController();
const run = train(model, path("digits.arrow"), {
  ...{ features: "image", label: "label", validation: 0.2, seed: 1 },
  ...{ optimizer: "adam(lr=3e-3)", schedule: "cosine", batch: 50, epochs: 12, patience: 3 },
  ...{ output, signal: stop.signal },
});
try {
  for await (const { kind, epoch, epochs, loss, validation } of run) {
    if (kind !== "epoch") continue;
    console.log(
      `epoch ${epoch} of ${epochs}: loss ${loss.toFixed(3)}, held out ${percent(validation?.accuracy)}`,
    );
    if (epoch === 4) stop.abort();
  }
} catch (error) {
  console.log(`stopped: ${(error as Error).name}. What was learned is in ${output}`);
}

// Losses and weights are the same bits as without the stop.
const loaded = await Model.load(output);
const result = await train(loaded, path("digits.arrow"), { resume: true, output, overwrite: true }).result;
console.log(
  `${result.reason} after epoch ${result.epochs}: ${percent(result.validation?.accuracy)} held out`,
);

const logits = loaded.predict(new Float32Array(2 * 64));
console.log("two rows of zeros:", logits.length, "outputs");
const { rows } = await predict(loaded, path("digits.arrow"), path("out.arrow"), {
  into: "digit",
  argmax: true,
});
console.log(rows, "rows with a column more");

function percent(share = Number.NaN): string {
  return `${(100 * share).toFixed(1)}%`;
}
