/** @file npy files with float32 values, written and read in a few lines, independently of the package. */

/** The bytes of an npy file (version 1) with one axis, or of the `shape` given. */
export function npyBytes(values: Float32Array, shape: readonly number[] = [values.length]): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  // Magic, version, length and header together fill whole blocks of 64 bytes.
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${padded}`, "latin1");
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** The values of such a file. */
export function npyValues(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Float32Array(Uint8Array.from(bytes.subarray(10 + view.getUint16(8, true))).buffer);
}
