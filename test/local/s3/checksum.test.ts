import { expect, test } from 'vitest';
import { compositeChecksum, isChecksumValue, startDigest } from '../../../local/cloud/s3/checksum.ts';

test.each([
  // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, and rising.
  [Buffer.alloc(32), '8a9136aa'],
  [Buffer.alloc(32, 0xff), '62a8ab43'],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
])('computes the CRC-32C of RFC 3720, whole and in pieces', (data, expected) => {
  const [whole, pieces] = [startDigest('crc32c'), startDigest('crc32c')];
  whole.update(data);
  for (const byte of data) pieces.update(Uint8Array.of(byte));
  expect(whole.digest().toString('hex')).toBe(expected);
  expect(pieces.digest().toString('hex')).toBe(expected);
});

test('composes a part checksum as S3 was seen to', () => {
  // A single-part upload on S3, reported in floci-io/floci pull request 3093.
  expect(compositeChecksum('sha256', ['n7gWa0Gp88JMie9iljKcv731WbPhWtFVibhxsVB8FAw='])).toEqual({
    algorithm: 'sha256',
    value: 'D0xEU2q/FgypQljU/eaDWTSRcnDG3KQGOtevJWcmMRY=-1',
  });
});

test('tells a checksum from other text', () => {
  expect(isChecksumValue('crc32', 'AAAAAA==')).toBe(true);
  for (const text of ['', 'AAAAAA', 'AAAAAAA=', 'AAAAAAAA', '!!!!', 'AAAAAA==AAAAAA==']) {
    expect(isChecksumValue('crc32', text)).toBe(false);
  }
});
