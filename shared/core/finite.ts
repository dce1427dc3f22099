/** The index of the first NaN or infinity in `values`, or -1. Reads the exponent bits: no float is compared. */
export function firstNonFinite(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7f80_0000) === 0x7f80_0000) return i;
  }
  return -1;
}
