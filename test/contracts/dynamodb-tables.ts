/** The tables of the DynamoDB contracts, as their template would have them. */

export const TableName = `rounds-${process.pid}`;
export const tickets = `tickets-${process.pid}`;
export const roundsProperties = {
  KeySchema: [
    { AttributeName: 'task', KeyType: 'HASH' as const },
    { AttributeName: 'version', KeyType: 'RANGE' as const },
  ],
  AttributeDefinitions: [
    { AttributeName: 'task', AttributeType: 'S' as const },
    { AttributeName: 'version', AttributeType: 'N' as const },
    { AttributeName: 'phase', AttributeType: 'S' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-phase',
      KeySchema: [
        { AttributeName: 'phase', KeyType: 'HASH' as const },
        { AttributeName: 'version', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST' as const,
};
export const ticketsProperties = {
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
  BillingMode: 'PAY_PER_REQUEST' as const,
};
export const tables = [
  { name: TableName, properties: roundsProperties },
  {
    name: tickets,
    properties: { ...ticketsProperties, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } },
  },
];
