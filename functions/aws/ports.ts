import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TicketId } from '../../shared/core/names.ts';
import { BufferGauge } from '../../shared/orchestrator/buffer-gauge.ts';
import type { IdentityPorts } from '../../shared/orchestrator/ports.ts';
import { RegisteredClients } from '../../shared/orchestrator/registered-clients.ts';
import { nodeCompressors } from '../compressors.ts';
import { env } from '../env.ts';
import { nodeSha256 } from '../sha256.ts';
import { DynamoIdentityStore } from './dynamo-identity-store.ts';
import { DynamoRoundStore } from './dynamo-round-store.ts';
import { getObjectsDirectly } from './get-objects-directly.ts';
import { KmsSealer } from './kms-sealer.ts';
import { S3ModelStore } from './s3-model-store.ts';
import { S3UpdateStore } from './s3-update-store.ts';
import { EmfTelemetry } from './telemetry.ts';
import { SqsUpdateQueue, StepFunctionsStarter } from './workflow.ts';

type Factories = { readonly [P in keyof IdentityPorts]: () => IdentityPorts[P] };

const clock = { now: () => Date.now() };
/**
 * Without checksums that nobody asked for: the SDK would put the CRC32 of an empty body into presigned URLs, and send
 * checksums with the parts of multipart uploads that were started without any, which S3 refuses when they are joined.
 */
const s3 = once(() => {
  const client = new S3Client({
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  getObjectsDirectly(client);
  return client;
});

const documents = once(() =>
  DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } }),
);
const identities = once(() => new DynamoIdentityStore(documents(), env('table')));
const unguessable = () => randomBytes(32).toString('base64url');

const factories: Factories = {
  rounds: () => new DynamoRoundStore(documents(), env('table')),
  models: () => new S3ModelStore(s3(), env('modelsBucket'), clock),
  updates: () => new S3UpdateStore(s3(), env('updatesBucket'), clock),
  queue: () => new SqsUpdateQueue(new SQSClient({}), env('arrivalsQueueUrl')),
  starter: () => new StepFunctionsStarter(new SFNClient({}), env('roundMachineArn')),
  clock: () => clock,
  secrets: () => ({ ticketId: () => unguessable() as TicketId }),
  telemetry: () => new EmfTelemetry(),
  compressors: () => nodeCompressors,
  sealer: () => new KmsSealer(new KMSClient({}), env('sealKeyArn')),
  sha256: () => nodeSha256,
  clients: () => new RegisteredClients(identities()),
  gauge: () => new BufferGauge(),
  identities,
  codes: () => ({ next: unguessable }),
};

/** The named ports over AWS. A function names the ones that it uses, and needs only their environment. */
export function awsPorts<K extends keyof IdentityPorts>(...names: readonly K[]): Pick<IdentityPorts, K> {
  const ports: Partial<Pick<IdentityPorts, K>> = {};
  for (const name of names) ports[name] = factories[name]();
  return ports as Pick<IdentityPorts, K>;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
