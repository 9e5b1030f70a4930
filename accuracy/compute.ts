/**
 * @file A process that computes: reads jobs from stdin, one in each line, and writes what the judge needs to stdout.
 * `reference/judge.cpp` says what that is.
 */
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Job, jobText } from "./jobs.ts";
import { subjectOf } from "./product.ts";
import { sampleFloat64 } from "./sample.ts";

/** Opened anew, because the stdout that Node starts with does not wait for its reader. */
const STDOUT = openSync("/dev/stdout", "w");
const HEADER_BYTES = 128;
const BLOCK = 2 ** 16;

function run(job: Job): void {
  if (job.dtype === "float32") everyFloat32(job);
  else if (job.dtype === "float16") everyFloat16(job);
  else sampledFloat64(job);
}

function everyFloat32(job: Job): void {
  const subject = subjectOf(job.ops, job.side, "float32");
  // Of a block the lower halves are 0, 1, 2, ..., and the upper halves are all the block's number.
  const halves = Uint16Array.from({ length: 2 * BLOCK }, (_, index) => index >> 1);
  const inputs = new Float32Array(halves.buffer);
  const results = new Float32Array(BLOCK);
  header(job);
  for (let block = 0; block < job.blocks; block++) {
    const number = job.first + block * job.step;
    for (let upper = 1; upper < 2 * BLOCK; upper += 2) halves[upper] = number;
    subject.compute(inputs, results);
    write(results);
  }
}

function everyFloat16(job: Job): void {
  const inputs = Uint16Array.from({ length: job.blocks }, (_, index) => index);
  const results = new Uint16Array(job.blocks);
  subjectOf(job.ops, job.side, "float16").compute(inputs, results);
  header(job);
  write(results);
}

function sampledFloat64(job: Job): void {
  const inputs = sampleFloat64(job.blocks);
  const results = new Float64Array(job.blocks);
  subjectOf(job.ops, job.side, "float64").compute(inputs, results);
  header(job);
  write(inputs);
  write(results);
}

function header(job: Job): void {
  const bytes = new Uint8Array(HEADER_BYTES);
  new TextEncoder().encodeInto(jobText(job), bytes);
  write(bytes);
}

function write(array: ArrayBufferView): void {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let done = 0; done < bytes.length; ) done += writeSync(STDOUT, bytes, done);
}

for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line) as Job);
