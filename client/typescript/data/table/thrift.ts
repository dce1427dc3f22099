/** A struct's fields by their number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;
export type ThriftValue = number | boolean | Uint8Array | ThriftStruct | readonly ThriftValue[];

const mostDepth = 32;

/**
 * Reads Thrift's compact protocol, as far as Parquet uses it, and takes no length that the bytes do not have.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws {RangeError} if so many bytes are not left */
  take(count: number): Uint8Array {
    if (!(count >= 0 && count <= this.left)) throw new RangeError(`${count} bytes of ${this.left} that are left`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.take(1)[0];
  }

  /** Unsigned LEB128; past 2^53 it is not exact. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (factor > 2 ** 63) throw new RangeError('a number without end');
    }
  }

  struct(depth = 0): ThriftStruct {
    const fields = new Map<number, ThriftValue>();
    for (let field = 0; ; ) {
      const byte = this.byte();
      const type = byte & 15;
      if (type === 0) return fields;
      field = byte >> 4 === 0 ? zigzag(this.varint()) : field + (byte >> 4);
      fields.set(field, this.#value(type, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    if (depth > mostDepth) throw new RangeError(`nested deeper than ${mostDepth}`);
    switch (type) {
      case 1:
      case 2:
        return type === 1;
      case 3:
        return this.byte();
      case 4:
      case 5:
      case 6:
        return zigzag(this.varint());
      case 7:
        return this.take(8);
      case 8:
        return this.take(this.varint());
      case 9:
        return this.#list(depth);
      case 12:
        return this.struct(depth + 1);
      default:
        throw new RangeError(`a field of type ${type}`);
    }
  }

  #list(depth: number): ThriftValue[] {
    const byte = this.byte();
    const count = byte >> 4 === 15 ? this.varint() : byte >> 4;
    // The shortest element is a byte.
    if (count > this.left) throw new RangeError(`a list of ${count} in ${this.left} bytes`);
    const type = byte & 15;
    return Array.from({ length: count }, () => (type <= 2 ? this.byte() === 1 : this.#value(type, depth + 1)));
  }
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
