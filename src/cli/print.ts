/** @file Writing text to stdout and stderr so that all of it arrives, and a reader that left is an error, not a crash. */

/** Writes and waits until it is written; rejects where the reader has gone (EPIPE). */
export function print(text: string, to: "stdout" | "stderr" = "stdout"): Promise<void> {
  if (text === "") return Promise.resolve();
  const stream = process[to];
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null): void => {
      stream.off("error", settle);
      if (error) reject(error);
      else resolve();
    };
    stream.once("error", settle);
    stream.write(text, (error) => {
      // After a failed write the stream still emits `error`; without a listener that would end the process.
      if (error) stream.on("error", () => {});
      settle(error);
    });
  });
}

/** One JSON object on one line. Numbers that JSON cannot hold (NaN, infinities) become strings, missing values null. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (item === undefined) return null;
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    if (item instanceof Map) return Object.fromEntries(item);
    return item;
  });
  return `${text}\n`;
}
