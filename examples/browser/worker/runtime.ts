import type { InferenceSession } from 'onnxruntime-common';
import type { OnnxRuntime } from '../../../shared/onnx/runtime/runtime.ts';
import type { Compute } from '../link.ts';

/** What the choice depends on: an adapter, or that there is none. */
export type Adapter = { readonly info: { readonly isFallbackAdapter: boolean } } | null | undefined;

/** WebGPU where there is a GPU: an adapter that imitates one on the processor is slower than WebAssembly. */
export function computeFor(adapter: Adapter, wanted?: Compute): Compute {
  if (!adapter || wanted === 'wasm') return 'wasm';
  return wanted === 'webgpu' || !adapter.info.isFallbackAdapter ? 'webgpu' : 'wasm';
}

/** The browser's GPU, if it has one and lets workers use it. */
export async function findAdapter(): Promise<Adapter> {
  // Safari and Firefox have no such property in places, whatever the type says.
  return 'gpu' in navigator ? navigator.gpu.requestAdapter().catch(() => null) : undefined;
}

/** onnxruntime-web, loaded for one of the two. @param files where its WebAssembly files are served, ending in `/` */
export async function loadRuntime(
  compute: Compute,
  files: string,
): Promise<{ readonly ort: OnnxRuntime; readonly version: string | undefined }> {
  const ort = compute === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.wasm.wasmPaths = files;
  // One thread trains and leaves the others to the user.
  ort.env.wasm.numThreads = 1;
  const version = ort.env.versions.web;
  return { ort: compute === 'webgpu' ? onGpu(ort) : ort, version };
}

/** Operators that WebGPU lacks, and graphs that it does not load, run on WebAssembly. */
function onGpu({ InferenceSession: { create }, Tensor }: OnnxRuntime): OnnxRuntime {
  const open = (graph: Uint8Array, options: InferenceSession.SessionOptions | undefined, names: Compute[]) =>
    create(graph, { ...options, executionProviders: names });
  return {
    Tensor,
    InferenceSession: {
      create: (graph, options) => open(graph, options, ['webgpu', 'wasm']).catch(() => open(graph, options, ['wasm'])),
    },
  };
}
