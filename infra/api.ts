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
import { callers, type RouteName, routes } from '../shared/wire/routes.ts';
import { acknowledge } from './acknowledge.ts';
import type { FunctionName } from './function-specs.ts';
import type { Names, Settings } from './settings.ts';

/** Who answers a route. */
const answers = {
  enrol: 'Enrol',
  rotateKey: 'RotateKey',
  issueTicket: 'IssueTicket',
  openUpload: 'OpenUpload',
  ticketStatus: 'TicketStatus',
  createTask: 'OperateTasks',
  startTask: 'OperateTasks',
  stopTask: 'OperateTasks',
  rollback: 'OperateTasks',
  listTasks: 'ShowTasks',
  showTask: 'ShowTasks',
  listVersions: 'ShowTasks',
  showSealKey: 'ShowTasks',
  showVersion: 'ShowTasks',
  invite: 'OperateClients',
  listClients: 'OperateClients',
  showClient: 'OperateClients',
  eraseClient: 'OperateClients',
  revokeClient: 'OperateClients',
  listDeadLetters: 'DeadLetters',
  redriveDeadLetters: 'DeadLetters',
  dropDeadLetters: 'DeadLetters',
} as const satisfies Record<RouteName, FunctionName>;

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
        integration: integrationOf(answers[name]),
        authorizer: authorizers[callers[name]],
      });
      if (callers[name] === 'anyone') {
        acknowledge(
          route,
          'AwsSolutions-APIG4',
          'Nobody knows the key yet: the function takes a one-time code and a proof by the new key.',
        );
      }
    }
  }
}
