import { describe, expect, test } from 'vitest';
import { S3Error } from '../../../local/cloud/s3/errors.ts';
import { errorXml, parseItems, toXml } from '../../../local/cloud/s3/xml.ts';

describe('answers', () => {
  test('escape markup and control characters and repeat arrays', () => {
    expect(toXml('R', { A: ['<&>', '\u0001"\r'], B: undefined, C: 0, D: false })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>&#x3c;&#x26;&#x3e;</A><A>&#x1;&#x22;&#xd;</A><C>0</C><D>false</D></R>',
    );
  });

  test('of errors have no namespace', () => {
    expect(errorXml({ Code: 'NoSuchKey' })).toMatch(/<Error><Code>NoSuchKey<\/Code><\/Error>$/);
  });
});

describe('requests', () => {
  test('give items and flags as texts, entities decoded, spaces kept', () => {
    const xml =
      '<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n <Object><Key> a&lt;&#x20AC;&#13; </Key></Object><Quiet>true</Quiet></Delete>';
    const { items, flags } = parseItems(xml, 'Delete', 'Object');
    expect(items.map((item) => item.get('Key'))).toEqual([' a<€\r ']);
    expect(flags.get('Quiet')).toBe('true');
  });

  test('keep numbers as they are written', () => {
    const { items } = parseItems(
      '<C><Part><PartNumber>007</PartNumber></Part><Part><PartNumber>1e3</PartNumber></Part></C>',
      'C',
      'Part',
    );
    expect(items.map((item) => item.get('PartNumber'))).toEqual(['007', '1e3']);
  });

  test.each([
    '',
    'not xml',
    '<Delete>',
    '<Delete><Object></Delete></Object>',
    '<Other><Object><Key>a</Key></Object></Other>',
    '<Delete><Object>text</Object></Delete>',
    '<!DOCTYPE Delete [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
    '<__proto__><Object><Key>a</Key></Object></__proto__>',
    `${'<a>'.repeat(50_000)}`,
  ])('are refused as MalformedXML: %.60j', (xml) => {
    expect(() => parseItems(xml, 'Delete', 'Object')).toThrow(S3Error);
  });
});
