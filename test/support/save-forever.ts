/** @file Saves a model again and again, each time with another number in all of its weights; says so after the first time. */
import { modelOf } from "./models.ts";

const path = process.argv[2]!;
const model = modelOf("dense(512, bias=false)", [512]);
for (let number = 0; ; number++) {
  for (const values of model.tensors.values()) values.fill(number);
  await model.save(path, { overwrite: true });
  if (number === 0) process.stdout.write("saved\n");
}
