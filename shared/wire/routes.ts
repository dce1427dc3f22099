/**
 * The routes of the HTTP API, as API Gateway writes them. Operator routes want IAM authorization, client routes a proof
 * (docs/decisions/0010); an enrolment brings its own.
 */
export const routes = {
  enrol: 'POST /v1/enrolments',
  rotateKey: 'POST /v1/keys',
  issueTicket: 'POST /v1/tasks/{task}/tickets',
  openUpload: 'POST /v1/tickets/{ticket}/upload',
  ticketStatus: 'GET /v1/tickets/{ticket}',
  createTask: 'POST /v1/tasks',
  startTask: 'POST /v1/tasks/{task}/start',
  stopTask: 'POST /v1/tasks/{task}/stop',
  rollback: 'POST /v1/tasks/{task}/rollback',
  listTasks: 'GET /v1/tasks',
  showTask: 'GET /v1/tasks/{task}',
  listVersions: 'GET /v1/tasks/{task}/versions',
  showSealKey: 'GET /v1/seal-key',
  showVersion: 'GET /v1/tasks/{task}/versions/{version}',
  invite: 'POST /v1/invitations',
  listClients: 'GET /v1/clients',
  showClient: 'GET /v1/clients/{client}',
  eraseClient: 'POST /v1/clients/{client}/erase',
  revokeClient: 'POST /v1/clients/{client}/revoke',
  listDeadLetters: 'GET /v1/dead-letters',
  redriveDeadLetters: 'POST /v1/dead-letters/redrive',
  dropDeadLetters: 'POST /v1/dead-letters/drop',
} as const;
export type RouteName = keyof typeof routes;
