import { expect, test } from 'vitest';
import { computeFor } from '../../../examples/browser/worker/runtime.ts';

const adapter = (isFallbackAdapter: boolean) => ({ info: { isFallbackAdapter } });

test.each([
  ['no WebGPU', undefined, undefined, 'wasm'],
  ['no adapter', null, undefined, 'wasm'],
  ['no adapter, and is told WebGPU', null, 'webgpu', 'wasm'],
  ['a GPU', adapter(false), undefined, 'webgpu'],
  ['a GPU, and is told WebAssembly', adapter(false), 'wasm', 'wasm'],
  ['an imitated GPU', adapter(true), undefined, 'wasm'],
  ['an imitated GPU, and is told WebGPU', adapter(true), 'webgpu', 'webgpu'],
] as const)('a browser with %s', (_, found, wanted, expected) => {
  expect(computeFor(found, wanted)).toBe(expected);
});
