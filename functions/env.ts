/** The environment variables that infra sets and functions read: one name, one place. */
export const envNames = {
  table: 'TRIBUTARY_TABLE',
  modelsBucket: 'TRIBUTARY_MODELS_BUCKET',
  updatesBucket: 'TRIBUTARY_UPDATES_BUCKET',
  arrivalsQueueUrl: 'TRIBUTARY_ARRIVALS_QUEUE_URL',
  deadLettersQueueUrl: 'TRIBUTARY_DEAD_LETTERS_QUEUE_URL',
  roundMachineArn: 'TRIBUTARY_ROUND_MACHINE_ARN',
  sealKeyArn: 'TRIBUTARY_SEAL_KEY_ARN',
} as const;
export type EnvKey = keyof typeof envNames;

/** CloudWatch namespace and service of every metric. */
export const metricsNamespace = 'Tributary';
export const metricsService = 'tributary';

/** @throws {Error} naming the variable that is not set */
export function env(key: EnvKey): string {
  const value = process.env[envNames[key]];
  if (!value) throw new Error(`environment variable ${envNames[key]} is not set`);
  return value;
}
