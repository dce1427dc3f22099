import { expect, test } from 'vitest';
import { formatLink, parseLink } from '../../../examples/browser/link.ts';

const code = 'Ab_-'.repeat(10).concat('xyz');
const link = {
  endpoint: 'https://id.execute-api.eu-central-1.amazonaws.com',
  task: 'digits',
  client: 'phone-17',
  code,
  purpose: 'To read postcodes & house numbers; nothing else #1',
};

test('a link says what it was made of, and all of it behind the #', () => {
  const text = formatLink('https://join.example/', link);
  expect(new URL(text).pathname + new URL(text).search).toBe('/');
  expect(parseLink(new URL(text).hash)).toEqual({ ...link, compute: undefined });
});

test('a link is read as URLs are written', () => {
  const found = parseLink('#endpoint=http%3A%2F%2F127.0.0.1%3A8080%2F&task=t&client=c&compute=wasm');
  expect(found).toEqual({
    endpoint: 'http://127.0.0.1:8080',
    task: 't',
    client: 'c',
    code: undefined,
    purpose: undefined,
    compute: 'wasm',
  });
});

test('no fragment is no link', () => {
  expect(parseLink('')).toBeUndefined();
  expect(parseLink('#')).toBeUndefined();
});

test.each([
  ['endpoint', 'javascript:alert(1)'],
  ['endpoint', 'http://'],
  ['task', '../other'],
  ['client', ''],
  ['code', 'short'],
  ['purpose', 'x'.repeat(2_001)],
  ['compute', 'quantum'],
])('names %s where it is %j', (name, value) => {
  const { hash } = new URL(formatLink('https://join.example/', { ...link, [name]: value }));
  expect(() => parseLink(hash)).toThrow(new RegExp(`^${name}: expected`));
});
