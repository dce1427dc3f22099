import compressed from 'embedded:onnxruntime';
import { setFlagsFromString } from 'node:v8';
import { brotliDecompressSync } from 'node:zlib';
import type { OnnxRuntime } from '../../shared/onnx/runtime/runtime.ts';

/** onnxruntime: the native one where it is installed beside this file, which is faster and smaller; else the one within. */
export async function openRuntime(): Promise<{ readonly name: string; readonly ort: OnnxRuntime }> {
  try {
    return { name: 'onnxruntime-node', ort: await import('onnxruntime-node') };
  } catch {
    // Optimizing what is warm takes 200 MB for seconds, and gains 6% of the time of a training.
    setFlagsFromString('--wasm-tiering-budget=2000000000');
    const ort = await import('onnxruntime-web/wasm');
    const binary = brotliDecompressSync(compressed);
    ort.env.wasm.wasmBinary = new Uint8Array(binary.buffer, binary.byteOffset, binary.length);
    ort.env.wasm.numThreads = 1;
    return { name: 'wasm', ort };
  }
}
