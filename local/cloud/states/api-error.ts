/** An answer of Step Functions that is an error; `code` is its name in AWS's API. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message.slice(0, 2_000)); // It may quote the request.
    this.code = code;
    this.status = status;
  }
}

export function validationError(problem: string): ApiError {
  return new ApiError('ValidationException', `1 validation error detected: ${problem}`);
}
