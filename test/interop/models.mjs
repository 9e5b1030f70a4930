/**
 * @file Makes models with random tensors, as if they had been trained, and says what they predict.
 *
 * node models.mjs DIST JOBS DIRECTORY: JOBS is a list of { name, layers, inputShape, target, features, x }; of each, the
 * directory gets name.safetensors and name.onnx, and with x (a file of float32 rows) name.y, the predictions as float32.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, jobs, directory] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(dist, "train", name)).href);
const [{ Model }, { parseLayers }, { buildNetwork, sizeOf, tensorsOf }, { keyOf, uniformAt }] =
  await Promise.all(["model.js", "layers-text.js", "network.js", "random.js"].map(load));

for (const { name, layers, inputShape, target, features = [], x } of JSON.parse(jobs)) {
  const network = buildNetwork(parseLayers(layers), inputShape);
  const tensors = new Map(
    tensorsOf(network).map(({ name: tensor, shape }, index) => {
      // Variances and deviations are above 0.
      const least = /running_var|deviation/.test(tensor) ? 0.5 : -0.5;
      return [
        tensor,
        Float32Array.from({ length: sizeOf(shape) }, (_, i) => least + uniformAt(keyOf(7, index), i)),
      ];
    }),
  );
  const specs = network.layers.map(({ spec }) => spec);
  const model = new Model(specs, { network, tensors, features, target, loss: undefined });
  await model.save(join(directory, `${name}.safetensors`));
  await model.saveOnnx(join(directory, `${name}.onnx`));
  if (x === undefined) continue;
  const rows = new Float32Array(Uint8Array.from(readFileSync(x)).buffer);
  writeFileSync(join(directory, `${name}.y`), model.predict(rows));
}
