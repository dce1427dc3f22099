import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAwsChunked } from '../../../local/cloud/s3/aws-chunked.ts';
import { S3Error } from '../../../local/cloud/s3/errors.ts';

const trailer = 'x-amz-checksum-crc32:AAAAAA==\r\n';

test('joins chunks and reads the trailer', async () => {
  const { text, trailers } = await decode([`5;chunk-signature=0\r\nhello\r\n0\r\n${trailer}\r\n`]);
  expect(text).toBe('hello');
  expect(trailers).toEqual(new Map([['x-amz-checksum-crc32', 'AAAAAA==']]));
});

test('takes an empty body', async () => {
  expect((await decode([`0\r\n${trailer}\r\n`])).text).toBe('');
});

test('gives the same whichever way the network cuts the bytes', async () => {
  const data = 'x'.repeat(9000);
  const wire = `2328\r\n${data}\r\n3\r\nend\r\n0\r\n${trailer}\r\n`;
  const cuts = fc.array(fc.nat(wire.length), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(cuts, async (positions) => {
      const ends = [...positions.toSorted((a, b) => a - b), wire.length];
      const { text } = await decode(ends.map((end, i) => wire.slice(ends[i - 1] ?? 0, end)));
      expect(text).toBe(`${data}end`);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['', 'IncompleteBody'],
  ['5\r\nhel', 'IncompleteBody'],
  ['5\r\nhello\r\n', 'IncompleteBody'],
  ['5\r\nhello\r\n0\r\n', 'IncompleteBody'],
  ['5\r\nhello!\r\n0\r\n\r\n', 'IncompleteBody'],
  ['5\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
  ['-5\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
  ['fffffffffff\r\n', 'IncompleteBody'],
  ['zz\r\n', 'IncompleteBody'],
  [`${'0'.repeat(10_000)}\r\n`, 'IncompleteBody'],
  ['0\r\n\r\nmore', 'IncompleteBody'],
  ['0\r\nno colon\r\n\r\n', 'MalformedTrailerError'],
  [`0\r\n${Array.from({ length: 17 }, (_, i) => `t${i}: v\r\n`).join('')}\r\n`, 'MalformedTrailerError'],
  // S3 demands 8 KiB of every chunk but the last.
  ['2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
])('refuses %j', async (wire, code) => {
  await expect(decode([wire])).rejects.toSatisfy((error) => error instanceof S3Error && error.code === code);
});

async function decode(wire: readonly string[]): Promise<{ text: string; trailers: Map<string, string> }> {
  async function* source() {
    for (const piece of wire) yield Buffer.from(piece);
  }
  const trailers = new Map<string, string>();
  let text = '';
  for await (const chunk of decodeAwsChunked(source(), trailers)) text += Buffer.from(chunk).toString();
  return { text, trailers };
}
