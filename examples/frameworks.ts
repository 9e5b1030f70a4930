/**
 * @file Leaky ReLU as TensorFlow and as PyTorch spell it, each with its own default.
 *
 *     npx tsx examples/frameworks.ts
 */
import { LeakyReLU, tf } from "sluice";

const features = Float64Array.of(-1, 0, 2);

// tf.nn.leaky_relu(features, alpha=0.2)
console.log("TensorFlow", tf.leakyRelu(features));
console.log("TensorFlow", tf.leakyRelu(features, { alpha: 0.5 }));

// torch.nn.LeakyReLU(negative_slope=0.01, inplace=False)
console.log("PyTorch   ", new LeakyReLU().forward(features));
const inplace = new LeakyReLU({ negativeSlope: 0.1, inplace: true });
console.log("PyTorch   ", inplace.forward(features) === features, features);
