import { describe, expect, it } from "vitest";
import { Share } from "../../src/workers/budget.ts";
import { sharedArena } from "../../src/workers/pool.ts";
import { Inbox, post } from "../../src/workers/posted.ts";

describe("posted data", () => {
  it("come out as they went in, in memory that is not shared", () => {
    const share = new Share(sharedArena());
    const data = {
      name: "-0 and NaN",
      values: [-0, Number.NaN],
      code: Uint8Array.of(0, 97, 115, 109),
      none: undefined,
    };
    const inbox = new Inbox<typeof data>(sharedArena().memory, 2, (posted) => posted);
    const found = inbox.get(post(data, share));
    share.free();
    expect(found).toEqual(data);
    expect(found.code.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("are read and made once while they are among the last few", () => {
    const share = new Share(sharedArena());
    const made: string[] = [];
    const inbox = new Inbox<string>(sharedArena().memory, 2, (text) => {
      made.push(text);
      return text;
    });
    const [a, b, c] = ["a", "b", "c"].map((text) => post(text, share));
    for (const posted of [a, b, a, b, c, b, a]) inbox.get(posted!);
    share.free();
    expect(made).toEqual(["a", "b", "c", "a"]);
  });

  it("are told apart where one takes the place of another", () => {
    const share = new Share(sharedArena());
    const inbox = new Inbox<string>(sharedArena().memory, 2, (text) => text);
    const first = post("first", share);
    expect(inbox.get(first)).toBe("first");
    share.free();
    const second = post("other", share);
    expect(second.address).toBe(first.address);
    expect(inbox.get(second)).toBe("other");
    share.free();
  });
});
