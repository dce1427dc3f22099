import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetterQueue, HeldLetter } from '../../shared/ports/dead-letters.ts';

/** SQS takes this many messages in one request. */
const mostAtOnce = 10;
const holdSeconds = 60;

/** The dead-letter queue of the arrivals. SQS's own move task moves all or nothing, and says later how many. */
export class SqsDeadLetterQueue implements DeadLetterQueue {
  readonly #client: SQSClient;
  readonly #urls: { readonly deadLetters: string; readonly arrivals: string };

  constructor(client: SQSClient, urls: { readonly deadLetters: string; readonly arrivals: string }) {
    this.#client = client;
    this.#urls = urls;
  }

  async take(): Promise<readonly HeldLetter[]> {
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#urls.deadLetters,
        MaxNumberOfMessages: mostAtOnce,
        VisibilityTimeout: holdSeconds,
        // Without waiting, SQS asks a few of its servers only, and an empty answer means nothing.
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    return Messages.map(({ MessageId = '', Body = '', ReceiptHandle = '', Attributes }) => ({
      id: MessageId,
      body: Body,
      sentAtMs: Number(Attributes?.SentTimestamp),
      receipt: ReceiptHandle,
    }));
  }

  async putBack(letters: readonly HeldLetter[]): Promise<void> {
    for (const batch of batches(letters)) {
      const Entries = batch.map(({ receipt }, i) => ({ Id: String(i), ReceiptHandle: receipt, VisibilityTimeout: 0 }));
      // One that is no longer held is back already: what fails here fails for no harm.
      await this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#urls.deadLetters, Entries }));
    }
  }

  async resend(letters: readonly HeldLetter[]): Promise<readonly HeldLetter[]> {
    // One by one: ten large messages may be too much for one request.
    const sent = await Promise.allSettled(
      letters.map(async (letter) => {
        await this.#client.send(new SendMessageCommand({ QueueUrl: this.#urls.arrivals, MessageBody: letter.body }));
        return letter;
      }),
    );
    const failed = sent.find((each) => each.status === 'rejected');
    const done = sent.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    if (failed && done.length === 0) throw failed.reason;
    return done;
  }

  async remove(letters: readonly HeldLetter[]): Promise<void> {
    for (const batch of batches(letters)) {
      const Entries = batch.map(({ receipt }, i) => ({ Id: String(i), ReceiptHandle: receipt }));
      const { Failed = [] } = await this.#client.send(
        new DeleteMessageBatchCommand({ QueueUrl: this.#urls.deadLetters, Entries }),
      );
      if (Failed.length > 0) throw new Error(`${Failed.length} dead letters were not deleted: ${Failed[0].Message}`);
    }
  }

  async depth(): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#urls.deadLetters, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
  }
}

function* batches<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < all.length; start += mostAtOnce) yield all.slice(start, start + mostAtOnce);
}
