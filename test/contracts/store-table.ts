import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoDb } from '../../local/cloud/dynamodb/service.ts';
import { clientConfig, countingMeter, guardWith, temporaryDirectory } from './endpoint.ts';

/** The product's table over the local DynamoDB, keyed as the template has it. */
export async function startStoreTable() {
  const { dir, remove } = await temporaryDirectory();
  const table = 'rounds';
  const service = await createDynamoDb({
    dir,
    guard: guardWith(),
    meter: countingMeter(),
    tables: [
      {
        name: table,
        properties: {
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          BillingMode: 'PAY_PER_REQUEST',
        },
      },
    ],
  });
  const client = new DynamoDBClient(clientConfig(service.url));
  return {
    table,
    documents: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    close: async () => {
      client.destroy();
      await service.close();
      await remove();
    },
  };
}
