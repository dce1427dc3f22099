import { ApiError, validationError } from './api-error.ts';
import { isObject, maxPayloadBytes } from './json.ts';

/** The members of a request; whoever reads it names all that it knows, and the rest is refused. */
export class ApiRequest {
  readonly #members: Record<string, unknown>;

  /** @throws {ApiError} SerializationException unless the body is a JSON object */
  constructor(body: string) {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      throw new ApiError('SerializationException', 'The request body is not JSON.');
    }
    if (!isObject(value)) throw new ApiError('SerializationException', 'The request body is not a JSON object.');
    this.#members = value;
  }

  /** @throws {ApiError} on a member that is not named */
  knowsOnly(...names: string[]): this {
    const unknown = Object.keys(this.#members).find((name) => !names.includes(name));
    if (unknown !== undefined) throw validationError(`Member '${unknown}' is not supported locally`);
    return this;
  }

  optionalText(name: string, maxLength: number): string | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw validationError(`Value at '${name}' must be a string`);
    if (value.length > maxLength) {
      throw validationError(`Value at '${name}' must have length less than or equal to ${maxLength}`);
    }
    return value;
  }

  /** @throws {ApiError} InvalidArn unless the member has the shape of an ARN of Step Functions */
  arn(name: string): string {
    const value = this.optionalText(name, 2048);
    if (value === undefined) throw validationError(`Value at '${name}' must not be null`);
    if (!/^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:[A-Za-z]+:.+$/.test(value)) {
      throw new ApiError('InvalidArn', `Invalid Arn: '${value}'`);
    }
    return value;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#members[name] ?? otherwise;
    if (typeof value !== 'boolean') throw validationError(`Value at '${name}' must be a boolean`);
    return value;
  }

  /** How many entries a page may have: 1 to 1000, 100 if unsaid or 0. */
  pageSize(): number {
    const value = this.#members.maxResults ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 1000) {
      throw validationError(`Value at 'maxResults' must be an integer from 0 to 1000`);
    }
    return value || 100;
  }

  /** The name of a new execution, if given. @throws {ApiError} InvalidName */
  executionName(): string | undefined {
    const name = this.optionalText('name', 10_000);
    if (name === undefined) return undefined;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: AWS forbids exactly these
    if (name === '' || name.length > 80 || /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(name)) {
      throw new ApiError('InvalidName', `Invalid Name: '${name.slice(0, 200)}'`);
    }
    return name;
  }

  /** The input of a new execution as it came. @throws {ApiError} InvalidExecutionInput unless it is JSON */
  executionInput(): string {
    const text = this.optionalText('input', maxPayloadBytes) ?? '{}';
    if (Buffer.byteLength(text) > maxPayloadBytes) {
      throw validationError(`Value at 'input' must have length less than or equal to ${maxPayloadBytes}`);
    }
    try {
      JSON.parse(text);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ApiError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${why}'`);
    }
    return text;
  }
}
