import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../../shared/wire/strict-json.ts';

describe('JSON with every name once', () => {
  it('is read as JSON.parse reads it', () => {
    const isPlain = (text: string) => !text.includes('__proto__');
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }).filter(isPlain), (text) => {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        expect(parseStrictJson(new TextEncoder().encode(` ${text}\n`))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('may have a name again elsewhere, and brackets, colons and quotes in its texts', () => {
    const value = { a: { a: [{ a: 1 }, { a: '{"a":1,"a":2}' }] }, '\\"': ':[{' };
    expect(parseStrictJson(JSON.stringify(value))).toEqual(value);
  });

  it('may be 64 deep', () => {
    expect(parseStrictJson('['.repeat(64) + ']'.repeat(64))).toHaveLength(1);
  });
});

it.each([
  ['a name twice', '{"a":1,"a":1}'],
  ['a name twice by an escape', '{"a":1,"\\u0061":1}'],
  ['a name twice further in', '[{"b":{"a":1,"c":[],"a":2}}]'],
  ['the empty name twice', '{"":1,"":1}'],
  ['a prototype', '{"__proto__":{}}'],
  ['a prototype by an escape', '{"\\u005f_proto__":{}}'],
  ['65 brackets', '['.repeat(65) + ']'.repeat(65)],
  ['a byte-order mark', '\ufeff{}'],
  ['a text that is not closed', '{"a'],
  ['an escape that is not finished', '{"\\'],
  ['two values', '{}{}'],
  ['a name without its value', '{"a":}'],
  ['nothing', ''],
])('%s is refused', (_, text) => {
  expect(() => parseStrictJson(text)).toThrow(SyntaxError);
  expect(() => parseStrictJson(new TextEncoder().encode(text))).toThrow(SyntaxError);
});

it('bytes that are no UTF-8 are refused', () => {
  expect(() => parseStrictJson(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toThrow(SyntaxError);
});
