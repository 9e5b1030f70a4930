/** @file What the API takes as `ops`, as a chain. */
import { UsageError } from "../errors.ts";
import { type BoundOp, bind } from "../ops/op.ts";
import { parseChain } from "../ops/parse.ts";
import type { Link, Ops } from "./options.ts";

/** @throws OpSyntaxError for text that cannot be understood, UsageError for anything that is no op */
export function resolveOps(ops: Ops): readonly BoundOp[] {
  if (typeof ops === "string") return parseChain(ops);
  const list: readonly Link[] = isList(ops) ? ops : [ops];
  if (list.length === 0) {
    throw new UsageError("ops is empty", { remedy: 'Name at least one op, such as "leaky_relu".' });
  }
  return list.map((link) => {
    if ("definition" in link) return bind(link.definition);
    return "op" in link ? link : bind(link);
  });
}

const isList = (ops: Link | readonly Link[]): ops is readonly Link[] => Array.isArray(ops);
