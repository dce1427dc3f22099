/** Made by build.ts: onnxruntime's WebAssembly, brotli. */
declare module 'embedded:onnxruntime' {
  const compressed: Uint8Array<ArrayBuffer>;
  export default compressed;
}
