import { once } from 'node:events';
import type { LocalService } from '../service.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Registered, Transition } from './execution.ts';
import { Executions } from './executions.ts';
import { type Json, toJson } from './json.ts';
import { parseMachine } from './parse-machine.ts';
import type { Surroundings } from './run.ts';
import { createApiServer } from './server.ts';

export type { Clock } from './clock.ts';
export type { Transition } from './execution.ts';
export { DefinitionError } from './fields.ts';
export { validateDefinition } from './parse-machine.ts';
export type { InvokeResult } from './run.ts';

/** A state machine of the template. */
export interface MachineOptions {
  readonly name: string;
  readonly arn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  /** Parsed Amazon States Language, in JSONata. */
  readonly definition: unknown;
  /** Credentials of the machine's role, for `guard.authorize`. */
  readonly roleAccessKeyId: string;
}

export interface StatesOptions extends Omit<Surroundings, 'clock'> {
  /** Where journals live; executions that were running are resumed from it. */
  readonly dir: string;
  readonly port?: number;
  readonly machines: readonly MachineOptions[];
  readonly clock?: Clock;
  /** Executions left running by a former process go on once this resolves; at once if it is not given. */
  readonly resumeWhen?: Promise<void>;
}

export interface ExecutionSummary {
  readonly executionArn: string;
  readonly name: string;
  readonly machineName: string;
  readonly startMs: number;
  /** The state that the execution's outermost process is in, once it is in one. */
  readonly state: string | undefined;
}

export interface LocalStates extends LocalService {
  /** True if no execution is running. */
  idle(): boolean;
  running(): ExecutionSummary[];
  /** Calls back on every move of every execution; returns what ends that. */
  onTransition(listener: (transition: Transition) => void): () => void;
}

/**
 * Starts the local Step Functions.
 * @throws {DefinitionError} if a machine holds anything that is wrong or not supported locally
 */
export async function createStates(options: StatesOptions): Promise<LocalStates> {
  const { dir, port = 0, guard, meter, clock = systemClock } = options;
  const machines = new Map<string, Registered>();
  for (const machine of options.machines) {
    if (!/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:[^:]+$/.test(machine.arn)) {
      throw new RangeError(`machines: "${machine.arn}" is not the ARN of a state machine`);
    }
    if (machines.has(machine.arn)) throw new RangeError(`machines: ${machine.arn} appears twice`);
    const parsed = parseMachine(machine.definition, machine.name);
    machines.set(machine.arn, { ...machine, definition: jsonOf(machine), machine: parsed });
  }
  const surroundings: Surroundings = {
    guard,
    meter,
    clock,
    invoke: (functionArn, payload) => options.invoke(functionArn, payload),
    readObject: (bucket, key, roleAccessKeyId) => options.readObject(bucket, key, roleAccessKeyId),
  };
  const executions = new Executions(surroundings, dir);
  const now = () => clock.now();
  const server = createApiServer({ guard, machines, executions, createdMs: clock.now(), now });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('[states] the server has no port');
  try {
    executions.recover(machines, options.resumeWhen ?? Promise.resolve());
  } catch (cause) {
    server.close();
    throw cause;
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    idle: () => executions.running().length === 0,
    running: () => {
      return executions.running().map(({ start: { arn, name, startMs }, machineName, state }) => {
        return { executionArn: arn, name, machineName, startMs, state };
      });
    },
    onTransition: (listener) => executions.onTransition(listener),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await executions.close();
      await closed;
    },
  };
}

function jsonOf({ definition }: MachineOptions): Json {
  return toJson(definition) ?? null;
}
