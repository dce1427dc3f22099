import { tmpdir } from 'node:os';
import { localAccount } from '../service.ts';
import type { FunctionPlan } from '../template/plan.ts';

/** The access key of a role, as a function gets it. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Where the services listen. */
export interface Endpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly dynamodb: string;
  readonly states: string;
  readonly kms: string;
}

/** What the host has to lend so that a process starts at all; nothing else of its environment gets in. */
const lent = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];

/** The environment of a function's process: the template's variables, and those that Lambda reserves. */
export function variablesOf(
  plan: FunctionPlan,
  { accessKeyId, secretAccessKey }: RoleCredentials,
  endpoints: Endpoints,
): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = {};
  for (const name of lent) if (process.env[name] !== undefined) variables[name] = process.env[name];
  return {
    ...variables,
    HOME: tmpdir(),
    TZ: 'UTC',
    LANG: 'en_US.UTF-8',
    ...plan.environment,
    _HANDLER: plan.handler,
    LAMBDA_TASK_ROOT: plan.folder,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_FUNCTION_NAME: plan.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${plan.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_REGION: localAccount.region,
    AWS_DEFAULT_REGION: localAccount.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SFN: endpoints.states,
    AWS_ENDPOINT_URL_KMS: endpoints.kms,
    // The SDK looks for no account, file or metadata service beside what stands here.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '',
    AWS_SHARED_CREDENTIALS_FILE: '',
  };
}
