/**
 * @file Ops as plain functions on typed arrays: synchronous, no workers, no files.
 *
 *     npx tsx examples/eager.ts
 */
import { clamp, defineOp, leakyRelu, prelu, relu6 } from "sluice";

const x = Float32Array.of(-2, -0.5, 0, 3, 9);
console.log("leakyRelu", leakyRelu(x, { alpha: 0.5 }));
console.log("relu6    ", relu6(x));

// In place: no array is made.
const y = x.slice();
relu6(y, { out: y });

// One slope for each channel of a last axis of length 2.
const rows = Float32Array.of(-1, -1, -2, -2);
console.log("prelu    ", prelu(rows, { alpha: [0.5, 0.25] }));

// Float16 as apache-arrow and WebGPU hold it: bits in a Uint16Array. 0xc000 is -2, 0xbc00 is -1.
console.log("float16  ", leakyRelu(Uint16Array.of(0xc000), { alpha: 0.5 })[0] === 0xbc00);

// What is no function yet is one line.
const unit = defineOp("unit", {}, (x) => clamp(x, 0, 1));
console.log("unit     ", unit(x));
