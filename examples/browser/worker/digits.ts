import { concatenate } from '../../../client/typescript/data/pick.ts';
import type { Random } from '../../../shared/core/random.ts';
import type { Samples } from '../../../shared/core/samples.ts';

/** Side of a picture, pixels. */
export const side = 16;

/** Five by seven, as on old displays. */
const glyphs = [
  '01110 10001 10011 10101 11001 10001 01110',
  '00100 01100 00100 00100 00100 00100 01110',
  '01110 10001 00001 00110 01000 10000 11111',
  '01110 10001 00001 00110 00001 10001 01110',
  '00010 00110 01010 10010 11111 00010 00010',
  '11111 10000 11110 00001 00001 10001 01110',
  '00110 01000 10000 11110 10001 10001 01110',
  '11111 00001 00010 00100 01000 01000 01000',
  '01110 10001 10001 01110 10001 10001 01110',
  '01110 10001 10001 01111 00001 00010 01100',
].map((rows) => rows.split(' ').map((row) => Array.from(row, Number)));

/** How someone writes: the same for all of his digits. */
interface Hand {
  readonly slant: number;
  readonly width: number;
  readonly height: number;
  readonly noise: number;
}

/** Someone's digits, in his own hand: [1, 16, 16] in [0, 1], ten classes. Each client draws its own, so none needs to be downloaded. */
export function drawDigits(n: number, random: Random): Samples {
  const own = random.fork('hand');
  const hand = {
    slant: own.normal(0, 0.25),
    width: 1.5 + own.next() / 2,
    height: 1.5 + own.next() / 2,
    noise: 0.15 + own.next() / 5,
  };
  const x = new Float32Array(n * side * side);
  const y = Int32Array.from({ length: n }, () => random.below(glyphs.length));
  y.forEach((digit, i) => {
    draw(x.subarray(i * side * side, (i + 1) * side * side), glyphs[digit], hand, random);
  });
  return { x, y, n, shape: [1, side, side] };
}

function draw(picture: Float32Array, glyph: readonly (readonly number[])[], hand: Hand, random: Random): void {
  const [left, top] = [random.normal(0, 1.2), random.normal(0, 0.8)];
  const slant = hand.slant + random.normal(0, 0.12);
  const [width, height] = [hand.width, hand.height].map((scale) => scale * (1 + random.normal(0, 0.08)));
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [right, down] = [column - (side - 1) / 2 - left, row - (side - 1) / 2 - top];
      const ink = inkAt(glyph, (right + slant * down) / width + 2, down / height + 3);
      picture[row * side + column] = Math.min(1, Math.max(0, ink + random.normal(0, hand.noise)));
    }
  }
}

/** Between the four nearest cells of the glyph, in proportion. */
function inkAt(glyph: readonly (readonly number[])[], u: number, v: number): number {
  const [column, row] = [Math.floor(u), Math.floor(v)];
  const cell = (down: number, right: number) => glyph[row + down]?.[column + right] ?? 0;
  const [right, down] = [u - column, v - row];
  const upper = cell(0, 0) * (1 - right) + cell(0, 1) * right;
  const lower = cell(1, 0) * (1 - right) + cell(1, 1) * right;
  return upper * (1 - down) + lower * down;
}

/** Digits of many hands, to evaluate versions on. */
export function heldOutDigits(random: Random, hands = 40, each = 25): Samples {
  return concatenate(
    Array.from({ length: hands }, (_, i) => drawDigits(each, random.fork(`${i}`))),
    [1, side, side],
  );
}
