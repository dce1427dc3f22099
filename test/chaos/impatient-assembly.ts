import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> & { RedrivePolicy?: object } }>
  >;
}

/**
 * Shortens the time after which an arrival whose function died is seen again, in a synthesized stack: seven minutes on
 * AWS, so that SQS and Lambda agree that nobody works on it any more; nobody wants to wait for that after each kill.
 * @param seconds visibility timeout of the arrivals, and the timeout of their function
 */
export function hurryArrivals(assembly: string, seconds: number, maxReceiveCount?: number): void {
  const path = join(assembly, 'Tributary-dev.template.json');
  const template: Template = JSON.parse(readFileSync(path, 'utf8'));
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Properties.FunctionName === 'tributary-dev-admit-update') Properties.Timeout = seconds;
    if (Type !== 'AWS::SQS::Queue' || !Properties.RedrivePolicy) continue;
    Properties.VisibilityTimeout = seconds;
    if (maxReceiveCount !== undefined) Properties.RedrivePolicy = { ...Properties.RedrivePolicy, maxReceiveCount };
  }
  writeFileSync(path, JSON.stringify(template));
}
