/** @file Leaky ReLU under the names, signatures and defaults that TensorFlow and PyTorch give it. */
import type { FloatArray } from "./eager.ts";
import { leakyRelu } from "./eager-ops.ts";

/** TensorFlow's functions. */
export const tf = {
  /**
   * `tf.nn.leaky_relu(features, alpha=0.2, name=None)`: x where x > 0, alpha * x elsewhere.
   *
   * Differs from the original: typed arrays instead of tensors, and no `name`.
   * Source: tensorflow/python/ops/nn_ops.py, `leaky_relu`.
   *
   * ```ts
   * tf.leakyRelu(new Float32Array([-1, 2])); // [-0.2, 2]
   * ```
   */
  leakyRelu<Features extends FloatArray>(
    features: Features,
    { alpha = 0.2, out }: { readonly alpha?: number; readonly out?: Features } = {},
  ): Features {
    return leakyRelu(features, { alpha, out });
  },
};

/**
 * `torch.nn.LeakyReLU(negative_slope=0.01, inplace=False)`: x where x > 0, negativeSlope * x elsewhere.
 *
 * Differs from the original: typed arrays instead of tensors, camelCase names, and no gradient.
 * Source: torch/nn/modules/activation.py, `LeakyReLU`.
 *
 * ```ts
 * new LeakyReLU({ negativeSlope: 0.2 }).forward(new Float32Array([-1, 2])); // [-0.2, 2]
 * ```
 */
export class LeakyReLU {
  readonly negativeSlope: number;
  /** Whether `forward` overwrites its input, and returns it. */
  readonly inplace: boolean;

  constructor({ negativeSlope = 0.01, inplace = false }: { negativeSlope?: number; inplace?: boolean } = {}) {
    this.negativeSlope = negativeSlope;
    this.inplace = inplace;
  }

  forward<Values extends FloatArray>(input: Values): Values {
    return leakyRelu(input, { alpha: this.negativeSlope, out: this.inplace ? input : undefined });
  }
}
