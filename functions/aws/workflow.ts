import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DeadlineNote, RoundStarter, UpdateQueue } from '../../shared/ports/workflow.ts';
import { executionName, type RoundInput } from '../../shared/wire/workflow.ts';

/** Starts rounds in Step Functions; the execution's name makes a second start harmless. */
export class StepFunctionsStarter implements RoundStarter {
  readonly #client: SFNClient;
  readonly #machineArn: string;

  constructor(client: SFNClient, machineArn: string) {
    this.#client = client;
    this.#machineArn = machineArn;
  }

  async start(input: RoundInput): Promise<'started' | 'known' | 'ended-badly'> {
    const name = executionName(input);
    try {
      await this.#client.send(
        new StartExecutionCommand({ stateMachineArn: this.#machineArn, name, input: JSON.stringify(input) }),
      );
      return 'started';
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
    const executionArn = `${this.#machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING' || status === 'SUCCEEDED' ? 'known' : 'ended-badly';
  }
}

/** The arrivals queue, for notes to ourselves. */
export class SqsUpdateQueue implements UpdateQueue {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async postpone(note: DeadlineNote, delayMs: number): Promise<void> {
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: this.#queueUrl,
        MessageBody: JSON.stringify(note),
        DelaySeconds: Math.min(900, Math.ceil(delayMs / 1000)),
      }),
    );
  }
}
