// What the managed Node.js runtime does inside a function's process: load the handler, then take one invocation after the other from
// the Runtime API ("Using the Lambda runtime API", AWS Lambda developer guide). Plain JavaScript: it runs as any bundle does.
import { existsSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [authority, token] = process.env.AWS_LAMBDA_RUNTIME_API.split('/');
const [hostname, port] = authority.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 2 });
let current;

// The cloud holds the other end: when it dies, however it dies, so does this process.
process.stdin.on('end', () => process.exit(1)).resume();
process.stdout.on('error', () => process.exit(1));

process.on('uncaughtException', (error) => fail(error, 129));
process.on('unhandledRejection', (reason) => {
  const message = reason instanceof Error ? reason.message : String(reason);
  fail(Object.assign(new Error(message, { cause: reason }), { name: 'Runtime.UnhandledPromiseRejection' }), 128);
});

let handler;
try {
  handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
} catch (error) {
  await fail(error, 1);
}
for (let served = 0; ; served++) {
  // Nothing at all where no compile cache is set. Not left to the end: an environment is killed, it does not exit.
  if (served === 1) flushCompileCache();
  const { headers, body } = await call('GET', 'invocation/next');
  const requestId = headers['lambda-runtime-aws-request-id'];
  current = requestId;
  let path = `invocation/${requestId}/response`;
  let reply;
  try {
    const result = await handler(JSON.parse(body), contextOf(headers));
    reply = JSON.stringify(result) ?? 'null';
  } catch (error) {
    path = `invocation/${requestId}/error`;
    reply = JSON.stringify(describe(error));
  }
  current = undefined;
  // After this line nothing of the invocation is still on its way through the pipe; stdout is synchronous on POSIX.
  await new Promise((written) => process.stdout.write(`END RequestId: ${requestId}\n`, written));
  await call('POST', path, reply);
}

async function loadHandler(root, name) {
  const dot = name.lastIndexOf('.');
  const base = resolve(root, name.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => base + extension).find((path) => existsSync(path));
  if (!file) {
    throw Object.assign(new Error(`Error: Cannot find module '${name.slice(0, dot)}'`), {
      name: 'Runtime.ImportModuleError',
    });
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(file));
  } catch (error) {
    if (error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND') {
      error.name = 'Runtime.ImportModuleError';
    } else if (error instanceof SyntaxError) {
      Object.defineProperty(error, 'name', { value: 'Runtime.UserCodeSyntaxError' });
    }
    throw error;
  }
  const exported = name.slice(dot + 1);
  const found = loaded[exported] ?? loaded.default?.[exported];
  if (typeof found !== 'function') {
    throw Object.assign(new Error(`${name} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  return found;
}

function contextOf(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

async function fail(error, code) {
  // The pipe may be full or the exit immediate: write the trace past the stream.
  writeSync(2, `${error?.stack ?? error}\n`);
  const path = current ? `invocation/${current}/error` : 'init/error';
  await call('POST', path, JSON.stringify(describe(error)));
  process.exit(code);
}

function call(method, path, body) {
  return new Promise((done) => {
    const sent = request(
      { agent, hostname, port, method, path: `/${token}/2018-06-01/runtime/${path}` },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => done({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
        response.on('error', () => process.exit(1));
      },
    );
    sent.on('error', () => process.exit(1));
    sent.end(body);
  });
}
