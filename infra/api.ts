import { Duration } from 'aws-cdk-lib';
import {
  CorsHttpMethod,
  HttpApi,
  type HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpIamAuthorizer,
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type RouteName, routes } from '../shared/wire/routes.ts';
import { acknowledge } from './acknowledge.ts';
import type { FunctionName } from './function-specs.ts';
import type { Names, Settings } from './settings.ts';

/** Who answers a route, and who may ask: clients prove who they are, operators sign with IAM, an enrolment proves itself. */
const answers = {
  enrol: { by: 'Enrol', for: 'anyone' },
  rotateKey: { by: 'RotateKey', for: 'client' },
  issueTicket: { by: 'IssueTicket', for: 'client' },
  openUpload: { by: 'OpenUpload', for: 'client' },
  ticketStatus: { by: 'TicketStatus', for: 'client' },
  createTask: { by: 'OperateTasks', for: 'operator' },
  startTask: { by: 'OperateTasks', for: 'operator' },
  stopTask: { by: 'OperateTasks', for: 'operator' },
  rollback: { by: 'OperateTasks', for: 'operator' },
  listTasks: { by: 'ShowTasks', for: 'operator' },
  showTask: { by: 'ShowTasks', for: 'operator' },
  listVersions: { by: 'ShowTasks', for: 'operator' },
  showSealKey: { by: 'ShowTasks', for: 'operator' },
  showVersion: { by: 'ShowTasks', for: 'operator' },
  invite: { by: 'OperateClients', for: 'operator' },
  listClients: { by: 'OperateClients', for: 'operator' },
  showClient: { by: 'OperateClients', for: 'operator' },
  eraseClient: { by: 'OperateClients', for: 'operator' },
  revokeClient: { by: 'OperateClients', for: 'operator' },
  listDeadLetters: { by: 'DeadLetters', for: 'operator' },
  redriveDeadLetters: { by: 'DeadLetters', for: 'operator' },
  dropDeadLetters: { by: 'DeadLetters', for: 'operator' },
} as const satisfies Record<RouteName, { by: FunctionName; for: 'anyone' | 'client' | 'operator' }>;

/** The HTTP API of clients and operators. */
export class Api extends Construct {
  readonly api: HttpApi;

  constructor(
    scope: Construct,
    id: string,
    {
      settings,
      names,
      functions,
    }: { settings: Settings; names: Names; functions: Readonly<Record<FunctionName, IFunction>> },
  ) {
    super(scope, id);
    this.api = new HttpApi(this, 'Http', {
      apiName: names.prefix,
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: settings.corsOrigins,
        allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
        allowHeaders: ['content-type', 'authorization'],
        exposeHeaders: ['retry-after', 'date'],
        maxAge: Duration.hours(1),
      },
    });
    const logs = new LogGroup(this, 'AccessLogs', { retention: settings.logRetentionDays });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: settings.apiRate, burstLimit: settings.apiBurst },
      accessLogSettings: { destination: new LogGroupLogDestination(logs) },
    });
    const integrations = new Map<FunctionName, HttpLambdaIntegration>();
    const integrationOf = (name: FunctionName) => {
      const known = integrations.get(name) ?? new HttpLambdaIntegration(name, functions[name]);
      integrations.set(name, known);
      return known;
    };
    const authorizers = {
      anyone: new HttpNoneAuthorizer(),
      // A proof is for one request: its answer is of no use to the next.
      client: new HttpLambdaAuthorizer('Clients', functions.AuthorizeClient, {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        identitySource: ['$request.header.Authorization'],
        resultsCacheTtl: Duration.seconds(0),
      }),
      operator: new HttpIamAuthorizer(),
    };
    for (const name of Object.keys(answers) as RouteName[]) {
      const [method, path] = routes[name].split(' ');
      const [route] = this.api.addRoutes({
        path,
        methods: [method as HttpMethod],
        integration: integrationOf(answers[name].by),
        authorizer: authorizers[answers[name].for],
      });
      if (answers[name].for === 'anyone') {
        acknowledge(
          route,
          'AwsSolutions-APIG4',
          'Nobody knows the key yet: the function takes a one-time code and a proof by the new key.',
        );
      }
    }
  }
}
