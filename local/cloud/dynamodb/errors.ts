import { AwsJsonError, isObject, type JsonObject } from '../iam/json-server.ts';

const shapes = 'com.amazonaws.dynamodb.v20120810#';

export function validationError(message: string): AwsJsonError {
  return new AwsJsonError('com.amazon.coral.validate#ValidationException', message);
}

export function resourceNotFound(table: string): AwsJsonError {
  return new AwsJsonError(
    `${shapes}ResourceNotFoundException`,
    `Requested resource not found: Table: ${table} not found`,
  );
}

export function dynamoError(shape: string, message: string, fields?: JsonObject): AwsJsonError {
  return new AwsJsonError(`${shapes}${shape}`, message, { fields });
}

/** dynalite's errors carry `statusCode` and `body`; anything else is a fault and passes unchanged. */
export function translated(error: unknown): unknown {
  if (!isObject(error) || error instanceof AwsJsonError) return error;
  const { statusCode, body } = error;
  if (typeof statusCode !== 'number' || !isObject(body)) return error;
  return new AwsJsonError(String(body.__type), String(body.message ?? body.Message ?? ''), { status: statusCode });
}

/** The last part of the error's shape, such as `ConditionalCheckFailedException`; undefined for a fault. */
export function shapeOf(error: unknown): string | undefined {
  return error instanceof AwsJsonError ? String(error.body.__type).split('#').at(-1) : undefined;
}
