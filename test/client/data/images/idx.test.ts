import { describe, expect, it } from 'vitest';
import { parseIdx } from '../../../../client/typescript/data/images/idx.ts';

// Written by hand from the format's description: 2 images of 1 x 3.
const twoImages = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60);

describe('IDX parser', () => {
  it('reads dimensions and values without copying', () => {
    const { dimensions, values } = parseIdx(twoImages, 3, 'images');
    expect(dimensions).toEqual([2, 1, 3]);
    expect([...values]).toEqual([10, 20, 30, 40, 50, 60]);
    expect(values.buffer).toBe(twoImages.buffer);
  });

  it('reads a view that does not start at the beginning of its buffer', () => {
    const shifted = new Uint8Array([9, 9, 9, ...twoImages]).subarray(3);
    expect([...parseIdx(shifted, 3, 'images').values]).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('refuses every truncation, naming the file', () => {
    for (let length = 0; length < twoImages.length; length++) {
      expect(() => parseIdx(twoImages.subarray(0, length), 3, 'cut')).toThrow(/\[data-malformed\] cut: /);
    }
  });

  it('refuses trailing bytes', () => {
    expect(() => parseIdx(new Uint8Array([...twoImages, 0]), 3, 'long')).toThrow(
      /trailing bytes.*= 6 bytes, the file holds 7/,
    );
  });

  it.each([
    ['labels where images are expected', [0, 0, 8, 1]],
    ['floats', [0, 0, 0x0d, 3]],
    ['little-endian magic', [3, 8, 0, 0]],
    ['gzip', [0x1f, 0x8b, 8, 0]],
  ])('refuses %s', (_, magic) => {
    expect(() => parseIdx(new Uint8Array([...magic, ...twoImages.subarray(4)]), 3, 'x')).toThrow(/expected 0x00000803/);
  });

  it('refuses dimensions whose product would wrap to the right size, without allocating', () => {
    // 2^32-1 squared and 65536 * 65536 * 65536 * ... overflow 32 and 53 bits.
    const absurd = Uint8Array.of(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    expect(() => parseIdx(absurd, 3, 'x')).toThrow(/truncated.*79228162458924105385300197375 bytes, the file holds 0/);
    const wraps = Uint8Array.of(0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1);
    expect(() => parseIdx(wraps, 3, 'x')).toThrow(/= 4294967296 bytes/);
  });
});
