import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { sessionOptions } from '../../shared/onnx/runtime/runtime.ts';
import { largestDifference, runCase } from '../browser/graph-case.ts';
import { graphCases } from '../browser/graph-cases.ts';
import { findPython, withoutPython } from './find-python.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '..', 'vectors', 'training-graphs', 'run.py');

const needed = ['numpy', 'onnxruntime'];
const found = await findPython(...needed);
const resultSchema = z.record(z.string(), z.record(z.string(), z.string()));

test("Python's onnxruntime trains the same graphs to the same parameters as Node's", {
  timeout: 120_000,
}, async (context) => {
  if (!found) return context.skip(withoutPython(...needed));
  const cases = await graphCases();
  const running = run(found.command, [script], { maxBuffer: 256 * 1024 * 1024 });
  running.child.stdin?.end(JSON.stringify(cases));
  const results = resultSchema.parse(JSON.parse((await running).stdout));
  for (const graphCase of cases) {
    const expected = await runCase(ort, graphCase, sessionOptions);
    const difference = largestDifference(results[graphCase.name], expected);
    expect(difference, `${graphCase.name}, onnxruntime ${found.versions[1]}`).toBeLessThan(1e-7);
  }
});
