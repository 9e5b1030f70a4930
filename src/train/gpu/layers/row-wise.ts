/** @file Layers that go along rows, as softmax does: the kernels of `gpu/rows.ts`. Nothing of them is learned. */
import { KernelSet } from "../../../gpu/kernels.ts";
import { programKernels } from "../../../gpu/program-kernels.ts";
import type { DeviceArray } from "../../../gpu/staging.ts";
import { backward as backwardOf } from "../../../ops/backward.ts";
import type { BoundOp } from "../../../ops/definition.ts";
import { fuse } from "../../../ops/fuse.ts";
import { type Layer, sizeOf } from "../../network.ts";
import type { DeviceLayer, LayerContext } from "../layer.ts";

/** @param op whose parameters are numbers */
export async function rowWiseLayer(
  { gpu }: LayerContext,
  { index, inShape }: Layer,
  op: BoundOp,
): Promise<DeviceLayer> {
  const rowLength = inShape.at(-1)!;
  const size = sizeOf(inShape);
  const compile = (program: ReturnType<typeof fuse>): Promise<KernelSet> =>
    KernelSet.compile(gpu, programKernels({ ...program, sums: [] }, null));
  const [forward, backward] = [await compile(fuse([op])), await compile(backwardOf([op]))];
  const start = async (
    set: KernelSet,
    inputs: readonly DeviceArray[],
    rows: number,
  ): Promise<DeviceArray> => {
    const [output] = await set.start(inputs, { length: rows * size, channel: 0, within: 0, rowLength });
    return output!;
  };
  return {
    index,
    forward: (x, { rows }) => start(forward, [x], rows),
    backward: (x, dy, { rows }) => start(backward, [x, dy], rows),
    gradients: async () => [],
  };
}
