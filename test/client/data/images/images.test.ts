import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeInBrowser } from '../../../../client/typescript/data/images/browser.ts';
import { type Image, withChannels } from '../../../../client/typescript/data/images/image.ts';
import { readImageFolder } from '../../../../client/typescript/data/images/image-folder.ts';
import { decodeImage, imageSamples } from '../../../../client/typescript/data/images/image-samples.ts';

interface Case {
  readonly png: string;
  readonly shape: readonly [number, number, number];
  readonly values: readonly number[];
}
const { cases } = JSON.parse(readFileSync(new URL('../../../vectors/data/images.json', import.meta.url), 'utf8')) as {
  readonly cases: Readonly<Record<string, Case>>;
};
const text = (content: string) => new TextEncoder().encode(content);
const expectImage = (image: Image, shape: readonly number[], values: readonly number[]) => {
  expect([image.channels, image.height, image.width]).toEqual(shape);
  expect(image.values.length).toBe(values.length);
  image.values.forEach((value, i) => {
    expect(value).toBeCloseTo(values[i], 6);
  });
};

describe('PNG', () => {
  it.each(Object.keys(cases))('%s gives its pixels, channels first', async (name) => {
    const { png, shape, values } = cases[name];
    expectImage(await decodeImage(new Uint8Array(Buffer.from(png, 'base64')), 'a.png'), shape, values);
  });

  it('is refused where it is damaged, cut off, or promises more than memory holds', async () => {
    const whole = new Uint8Array(Buffer.from(cases.colour.png, 'base64'));
    const damaged = whole.slice();
    damaged[45] ^= 0xff;
    const huge = whole.slice();
    huge.set([0x7f, 0xff, 0xff, 0xff], 16);
    for (const bytes of [whole.subarray(0, 10), whole.subarray(0, 60), damaged, huge]) {
      await expect(decodeImage(bytes, 'a.png')).rejects.toThrow(/\[data-malformed\] a\.png/);
    }
  });
});

describe('PGM and PPM', () => {
  it.each<[string, Uint8Array, number[], number[]]>([
    ['plain grey with comments', text('P2 # made by hand\n2 2 # size\n4\n0 1\n2 4\n'), [1, 2, 2], [0, 0.25, 0.5, 1]],
    ['plain colour', text('P3\n1 2\n10\n0 5 10  10 5 0\n'), [3, 2, 1], [0, 1, 0.5, 0.5, 1, 0]],
    ['raw grey', Uint8Array.of(...text('P5 3 1 255\n'), 0, 51, 255), [1, 1, 3], [0, 0.2, 1]],
    [
      'raw grey of 16 bits',
      Uint8Array.of(...text('P5 1 2 65535\n'), 0x80, 0, 0xff, 0xff),
      [1, 2, 1],
      [0x8000 / 0xffff, 1],
    ],
    ['raw colour', Uint8Array.of(...text('P6 1 1 255\n'), 255, 0, 51), [3, 1, 1], [1, 0, 0.2]],
  ])('%s', async (_, bytes, shape, values) => {
    expectImage(await decodeImage(bytes, 'a.ppm'), shape, values);
  });

  it.each([
    ['a value beyond the largest', 'P2 1 1 4 5'],
    ['too few values', 'P2 2 2 4 1 2 3'],
    ['too few bytes', 'P5 2 2 255\nabc'],
    ['no size', 'P5'],
    ['a size beyond memory', 'P5 999999999 999999999 255\n'],
    ['another kind', 'P4 8 1\n\u0000'],
  ])('are refused with %s', async (_, content) => {
    await expect(decodeImage(text(content), 'a.pgm')).rejects.toThrow(/\[data-malformed\] a\.pgm/);
  });
});

it('other pictures are for the browser, and what is no browser says so', async () => {
  await expect(decodeImage(Uint8Array.of(0xff, 0xd8, 0xff), 'a.jpg')).rejects.toThrow(/decode it in a browser/);
  await expect(decodeInBrowser(new Blob(), { height: 1, width: 1 })).rejects.toThrow(/runtime-missing/);
});

it('colour becomes luma, grey three channels', () => {
  const colour: Image = { channels: 3, height: 1, width: 2, values: Float32Array.of(1, 0, 0, 1, 0, 0) };
  const grey = withChannels(colour, 1);
  expect(grey.values[0]).toBeCloseTo(0.299, 6);
  expect(grey.values[1]).toBeCloseTo(0.587, 6);
  expect([...withChannels({ ...grey, values: Float32Array.of(0.5, 1) }, 3).values]).toEqual([0.5, 1, 0.5, 1, 0.5, 1]);
});

describe('a folder of classes', () => {
  it('becomes examples, a class for each folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-images-'));
    try {
      for (const [name, content] of [
        ['cats/2.pgm', 'P2 2 1 1 1 0'],
        ['cats/1.pgm', 'P2 2 1 1 0 1'],
        ['dogs/a.pgm', 'P2 2 1 1 1 1'],
        ['dogs/notes.txt', 'no picture'],
      ]) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      const pictures = await readImageFolder(folder);
      expect(pictures.map(({ name }) => name)).toEqual(['cats/1.pgm', 'cats/2.pgm', 'dogs/a.pgm']);
      const shape = { channels: 1, height: 1, width: 2 } as const;
      const { x, y, n } = imageSamples(pictures, ['dogs', 'cats'], shape);
      expect([n, [...x], [...y]]).toEqual([3, [0, 1, 1, 0, 1, 1], [1, 1, 0]]);
      expect(() => imageSamples(pictures, ['cats'], shape)).toThrow(/label-unsuitable.*dogs\/a\.pgm.*"dogs"/);
      expect(() => imageSamples(pictures, ['cats', 'dogs'], { ...shape, width: 3 })).toThrow(
        /2 x 1 pixels, expected 3 x 1/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
    await expect(readImageFolder(folder)).rejects.toThrow(/data-missing/);
  });
});
