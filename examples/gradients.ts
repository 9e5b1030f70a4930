/**
 * @file Backward through a file, a stream and record batches: dy becomes dx, and the gradient of the slope is told.
 *
 *     npx tsx examples/gradients.ts
 */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGradTransform, grad, gradBatches } from "sluice";
import { sampleDirectory, sampleSteps } from "./sample.ts";

const directory = sampleDirectory();
const path = (name: string): string => join(directory, name);
const backward = { ops: "leaky_relu(alpha=0.1)", inputColumn: "x", upstream: "dy" };

const { gradients, seconds } = await grad(path("steps.arrow"), path("out.arrow"), backward);
console.log(`file to file in ${seconds.toFixed(3)} s`, gradients);

const stream = createGradTransform(backward);
await pipeline(createReadStream(path("steps.arrows")), stream, createWriteStream(path("out.arrows")));
console.log("as a stream", await stream.gradients);

const batches = gradBatches(sampleSteps().batches, backward);
for await (const batch of batches)
  console.log("first dx of a batch", batch.getChild("dy")?.get(0)?.toArray());
console.log("in memory", await batches.gradients);

// Of npy there are two inputs. One step of learning: the slope goes down its gradient.
const slopes = [0.25, 0.25, 0.25, 0.25];
const npy = await grad({ x: path("x.npy"), dy: path("dy.npy") }, path("dx.npy"), {
  ops: `prelu([${slopes.join(", ")}])`,
});
const slopeGradients = npy.gradients["prelu.alpha"] as readonly number[];
console.log("new slopes", ...slopes.map((slope, channel) => slope - 1e-4 * slopeGradients[channel]!));
