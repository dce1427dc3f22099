import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import { S3Error } from './errors.ts';

/** A value of an answer document: an array repeats its element, undefined leaves it out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | { readonly [name: string]: XmlValue }
  | readonly XmlValue[];

const builder = new XMLBuilder({
  ignoreAttributes: false,
  processEntities: false,
  tagValueProcessor: (_name, value) => escapeText(String(value)),
});

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  removeNSPrefix: true,
});

/** An S3 answer document with its root element in S3's namespace. */
export function toXml(root: string, content: Readonly<Record<string, XmlValue>>): string {
  return document(root, { '@_xmlns': 'http://s3.amazonaws.com/doc/2006-03-01/', ...withoutUndefined(content) });
}

/** S3's error document, which has no namespace. */
export function errorXml(content: Readonly<Record<string, string>>): string {
  return document('Error', content);
}

/**
 * The repeated `item` elements under `root`, each as its child elements' texts; `flags` are the root's own texts.
 * @throws {S3Error} MalformedXML
 */
export function parseItems(
  xml: string,
  root: string,
  item: string,
): { readonly items: readonly ReadonlyMap<string, string>[]; readonly flags: ReadonlyMap<string, string> } {
  const malformed = (cause?: unknown) =>
    new S3Error(
      'MalformedXML',
      `The XML you provided was not well-formed: expected ${root} with ${item} elements`,
      {},
      cause,
    );
  // A document type may define entities; S3's messages never have one.
  if (/<!DOCTYPE/i.test(xml)) throw malformed();
  let parsed: unknown;
  try {
    parsed = parser.parse(xml, true);
  } catch (cause) {
    throw malformed(cause);
  }
  if (!isRecord(parsed) || !isRecord(parsed[root])) throw malformed();
  const found = [parsed[root][item] ?? []].flat();
  if (!found.every(isRecord)) throw malformed();
  return { items: found.map(texts), flags: texts(parsed[root]) };
}

function document(root: string, content: Readonly<Record<string, XmlValue>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [root]: content })}`;
}

function texts(element: Record<string, unknown>): ReadonlyMap<string, string> {
  return new Map(Object.entries(element).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutUndefined(content: Readonly<Record<string, XmlValue>>): Record<string, XmlValue> {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}

/** Control characters, too, travel as character references: a key may hold them. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']|\p{Cc}/gu, (c) => `&#x${c.charCodeAt(0).toString(16)};`);
}
