import { createHash } from 'node:crypto';
import { z } from 'zod';

const dataType = z.string().regex(/^(String|Number|Binary)(\.[\w.-]{1,240})?$/);

export const messageAttributeSchema = z
  .strictObject({ DataType: dataType, StringValue: z.string().min(1).optional(), BinaryValue: z.base64().optional() })
  .refine(({ DataType, StringValue, BinaryValue }) => {
    const binary = DataType.startsWith('Binary');
    return (StringValue === undefined) === binary && (BinaryValue === undefined) !== binary;
  }, 'the value does not fit DataType');

export const messageAttributesSchema = z.record(z.string().regex(/^[\w.-]{1,256}$/), messageAttributeSchema);

export type MessageAttribute = z.output<typeof messageAttributeSchema>;
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** MD5 of the attributes, hex: "Calculating the MD5 message digest for message attributes", SQS developer guide. */
export function md5OfAttributes(attributes: MessageAttributes): string {
  const hash = createHash('md5');
  const addField = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const attribute = attributes[name];
    const binary = attribute.BinaryValue !== undefined;
    addField(Buffer.from(name));
    addField(Buffer.from(attribute.DataType));
    hash.update(Buffer.of(binary ? 2 : 1));
    addField(valueBytes(attribute));
  }
  return hash.digest('hex');
}

/** Bytes that the attributes add to the message's size. */
export function sizeOfAttributes(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, attribute]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + valueBytes(attribute).length,
    0,
  );
}

/** The attributes that a receiver asked for: `All`, `.*`, a name, or `prefix.*`. */
export function selectAttributes(attributes: MessageAttributes, wanted: readonly string[]): MessageAttributes {
  const matches = (name: string) =>
    wanted.some((want) => {
      if (want === 'All' || want === '.*') return true;
      return want.endsWith('.*') ? name.startsWith(want.slice(0, -1)) : name === want;
    });
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => matches(name)));
}

function valueBytes({ StringValue, BinaryValue }: MessageAttribute): Buffer {
  return BinaryValue === undefined ? Buffer.from(StringValue ?? '') : Buffer.from(BinaryValue, 'base64');
}
