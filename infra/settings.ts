import type { Node } from 'constructs';
import { z } from 'zod';

/** What a deployment may choose: `cdk deploy -c stage=prod -c alarmEmail=ops@example.org`. Everything has a default. */
const settingsSchema = z.strictObject({
  /** Part of every name, so that several deployments share an account. */
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,11}$/, 'a stage is 1 to 12 of a-z, 0-9 and "-", starting with a letter')
    .default('dev'),
  /** Keep buckets and table when the stack is deleted; a first deployment that fails keeps nothing. */
  keepData: z.stringbool().or(z.boolean()).default(true),
  /** Where alarms are sent; without one they show in CloudWatch only. */
  alarmEmail: z.email().optional(),
  /** Origins whose pages may talk to the API and the buckets, comma-separated. */
  corsOrigins: z
    .string()
    .default('*')
    .transform((origins) => origins.split(',').map((origin) => origin.trim())),
  /** Requests a second that the API takes, and its burst. */
  apiRate: z.coerce.number().int().min(1).default(500),
  apiBurst: z.coerce.number().int().min(1).default(1_000),
  /** Memory of one aggregator in MB; a tile takes about four times its bytes. */
  aggregatorMemoryMb: z.coerce.number().int().min(256).max(10_240).default(1_769),
  /** Admissions at once. */
  admitConcurrency: z.coerce.number().int().min(2).max(1_000).default(10),
  logRetentionDays: z.coerce.number().int().default(30),
  /** Days after which updates that nothing consumed are deleted. */
  updateRetentionDays: z.coerce.number().int().min(1).default(7),
});
export type Settings = z.output<typeof settingsSchema>;

/** @throws {Error} naming the context value that is wrong */
export function readSettings(node: Node): Settings {
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(settingsSchema.shape)) {
    const value: unknown = node.tryGetContext(name);
    if (value !== undefined) given[name] = value;
  }
  const result = settingsSchema.safeParse(given);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `-c ${path.join('.')}: ${message}`);
  throw new Error(`settings: ${wrong.join('; ')}`);
}

/** Names that must be known before the resource exists, or that people look for. */
export function names({ stage }: Settings, { account, region }: { account: string; region: string }) {
  const prefix = `tributary-${stage}`;
  return {
    stack: `Tributary-${stage}`,
    prefix,
    modelsBucket: `${prefix}-models-${account}-${region}`,
    updatesBucket: `${prefix}-updates-${account}-${region}`,
    arrivalsQueue: `${prefix}-arrivals`,
    deadLetterQueue: `${prefix}-arrivals-dead`,
    table: prefix,
    roundMachine: `${prefix}-round`,
    dashboard: prefix,
  };
}
export type Names = ReturnType<typeof names>;
