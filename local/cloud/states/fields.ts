import { isObject } from './json.ts';

/** The definition of a state machine is wrong, or holds what the local interpreter does not know. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  readonly code = 'InvalidDefinition';
  readonly path: string;
  readonly problem: string;

  constructor(path: string, problem: string, machine?: string) {
    super(`${machine === undefined ? '' : `state machine ${machine}: `}${path} ${problem}`);
    this.path = path;
    this.problem = problem;
  }
}

/** Reads one object of a definition field by field; what nobody read is refused by path when reading ends. */
export class Fields {
  readonly path: string;
  readonly #value: Record<string, unknown>;
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string) {
    if (!isObject(value)) throw new DefinitionError(path === '' ? 'the definition' : path, 'must be an object');
    this.#value = value;
    this.path = path;
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name) && this.#value[name] !== undefined;
  }

  names(): string[] {
    return Object.keys(this.#value).filter((name) => this.has(name));
  }

  take(name: string): unknown {
    this.#read.add(name);
    return this.has(name) ? this.#value[name] : undefined;
  }

  text(name: string): string {
    const value = this.take(name);
    if (typeof value !== 'string' || value === '') {
      throw new DefinitionError(this.at(name), value === undefined ? 'is missing' : 'must be a non-empty string');
    }
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** One of the allowed words; anything else is not supported locally. */
  word<W extends string>(name: string, allowed: readonly W[]): W {
    const value = this.text(name);
    const word = allowed.find((candidate) => candidate === value);
    if (word === undefined) {
      throw new DefinitionError(
        this.at(name),
        `is ${JSON.stringify(value)}, which is not supported locally; known: ${allowed.join(', ')}`,
      );
    }
    return word;
  }

  list(name: string): unknown[] {
    const value = this.take(name);
    if (!Array.isArray(value) || value.length === 0) {
      throw new DefinitionError(this.at(name), value === undefined ? 'is missing' : 'must be a non-empty array');
    }
    return value;
  }

  optionalNumber(name: string, { integer = false, min = 0, max = 99_999_999 } = {}): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.take(name);
    if (typeof value !== 'number' || !(value >= min) || value > max || (integer && !Number.isInteger(value))) {
      throw new DefinitionError(this.at(name), `must be ${integer ? 'an integer' : 'a number'} from ${min} to ${max}`);
    }
    return value;
  }

  /** @throws {DefinitionError} naming the first field that nobody read */
  finish(): void {
    for (const name of this.names()) {
      if (!this.#read.has(name)) throw new DefinitionError(this.at(name), 'is not supported locally');
    }
  }
}
