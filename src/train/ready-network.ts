/**
 * @file The network that predicted last stays ready in the arena, because loading its weights takes longer than computing
 * a few rows.
 */
import { forward, type Inference, openInference } from "./engine/inference.ts";
import { type Network, sizeOf, type Tensors } from "./network.ts";

/** Rows up to which a network stays ready: beyond, computing them is what takes the time. */
const FEW = 8;

interface Ready {
  readonly network: Network;
  /** As they were when they were loaded: whoever has a tensor may change it. */
  readonly tensors: Tensors;
  readonly inference: Inference;
}

let ready: Ready | undefined;

/**
 * The outputs of rows, as `forward` gives them.
 *
 * @throws MemoryError where the arena has no room for the network
 */
export function predictRows(network: Network, tensors: Tensors, rows: Float32Array): Float32Array {
  if (rows.length > FEW * sizeOf(network.inputShape)) return forward(network, tensors, rows);
  if (ready?.network !== network || !areSame(ready.tensors, tensors)) {
    ready?.inference.close();
    ready = undefined;
    const inference = openInference(network, tensors, FEW);
    const copies = new Map([...tensors].map(([name, values]) => [name, values.slice()]));
    ready = { network, tensors: copies, inference };
  }
  return ready.inference.run(rows);
}

function areSame(before: Tensors, now: Tensors): boolean {
  if (before.size !== now.size) return false;
  for (const [name, values] of now) {
    const then = before.get(name);
    if (!then || Buffer.compare(bytesOf(then), bytesOf(values)) !== 0) return false;
  }
  return true;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
