/** @file Several pieces of work at once, their results taken in order. */

/**
 * Starts `start(0)` to `start(count - 1)`, at most `most` at a time, and hands each result to `take` when all before it
 * are taken. Nothing is under way any more when it settles; it rejects with the first error.
 */
export async function inOrder<Result>(
  count: number,
  most: number,
  start: (index: number) => Promise<Result>,
  take: (result: Result, index: number) => void | Promise<void>,
): Promise<void> {
  const underWay: Promise<Result>[] = [];
  try {
    for (let next = 0, taken = 0; taken < count; taken++) {
      while (next < count && underWay.length < most) {
        const work = start(next++);
        // Told when its turn comes.
        work.catch(() => {});
        underWay.push(work);
      }
      const result = await underWay.shift()!;
      const taking = take(result, taken);
      if (taking) await taking;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
