/**
 * @file Turns: threads that would write to one file at the same time go one after the other.
 *
 * The kernel lets only one buffered write at a time into a file (ext4, XFS and others hold the inode's lock for it), and
 * threads that wait for it spin: they take the cores from those that could read and compute meanwhile. Waiting here is
 * sleep. Nothing depends on a turn but speed, so a thread that died in its turn holds up nobody for long.
 */

const FREE = 0;
const TAKEN = 1;
/** Milliseconds: many times what a window takes to write. */
const PATIENCE = 100;

/** Bytes of the arena for one row of turns. */
export const TURN_BYTES = 4;

/** Runs `work` in its turn. `address` is that of four zero bytes, which all who share the turns know. */
export function inTurn<Result>(memory: Int32Array, address: number, work: () => Result): Result {
  const word = address / TURN_BYTES;
  while (Atomics.exchange(memory, word, TAKEN) === TAKEN) {
    if (Atomics.wait(memory, word, TAKEN, PATIENCE) === "timed-out") break;
  }
  try {
    return work();
  } finally {
    Atomics.store(memory, word, FREE);
    Atomics.notify(memory, word, 1);
  }
}
