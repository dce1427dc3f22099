import type { Json } from '../template/assembly.ts';

/** An error as Lambda reports it to whoever invoked the function. */
export interface FunctionError {
  /**
   * The name that a state machine sees. What the handler throws keeps its own; the platform's are `Sandbox.Timedout` (time is up),
   * `Runtime.ExitError` (the process died: killed, out of memory, process.exit), `Function.ResponseSizeTooLarge`, and for a bundle
   * that does not load `Runtime.ImportModuleError`, `Runtime.HandlerNotFound` or `Runtime.UserCodeSyntaxError`. The Step Functions guide
   * still documents the first two as `Lambda.Unknown`: a Retry should name all three, or `States.TaskFailed`.
   */
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** What came of one synchronous invocation. */
export type InvocationResult = { readonly payload: Json } | { readonly functionError: FunctionError };

/** Request and response payloads of a synchronous invocation: 6 MB, as Lambda counts it. */
export const payloadLimitBytes = 6_291_556;

/** The function did not answer within its timeout. */
export function timedOut(requestId: string, timeoutSeconds: number): FunctionError {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  };
}

/** The process is gone. @param how such as `signal: killed` or `exit status 1` */
export function exited(requestId: string, how: string): FunctionError {
  return {
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
  };
}

/** A payload beyond `payloadLimitBytes`. */
export function tooLarge(what: 'Request' | 'Response', sizeBytes: number): FunctionError {
  return {
    errorType: what === 'Request' ? 'RequestEntityTooLarge' : 'Function.ResponseSizeTooLarge',
    errorMessage: `${what} payload size (${sizeBytes} bytes) exceeded maximum allowed payload size (${payloadLimitBytes} bytes).`,
  };
}
